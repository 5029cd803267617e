/** The built program as a user starts it: exit codes, streams, colours, and everything that can be wrong with a file. */

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeProgress } from '../cli/progress.ts'
import { plain } from '../src/report/paint.ts'

const MAIN = resolve('dist/bundle/main.js')
const PACKET = 'eth0 tcp 198.51.100.7:40000 > 203.0.113.2:22 syn'
const CLEAN = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n'
const WRONG = CLEAN.replace('ACCEPT\nCOMMIT', 'ACEPT\nCOMMIT')

let folder = ''

beforeAll(() => {
  execFileSync('npm', ['run', 'build', '--silent'], { stdio: 'pipe' })
  folder = mkdtempSync(join(tmpdir(), '5x5-'))
  write('clean.rules', CLEAN)
  write('wrong.rules', WRONG)
  write('host.yaml', 'devices:\n  eth0: 203.0.113.2/24\n')
  write('bom.rules', `\ufeff${CLEAN}`)
  write('empty.rules', '')
  write('binary.rules', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0]))
  write('utf16.rules', Buffer.from(`\ufeff${CLEAN}`, 'utf16le'))
  mkdirSync(join(folder, 'directory'))
  symlinkSync('circle', join(folder, 'circle'))
  mkdirSync(join(folder, 'etc', 'deep'), { recursive: true })
  symlinkSync('..', join(folder, 'etc', 'deep', 'up'))
  for (const name of ['rules.v4', 'deep/iptables.conf', 'deep/nft-save', 'b.rules']) write(`etc/${name}`, CLEAN)
  for (const name of ['rules.v6', 'c.rules6']) write(`etc/${name}`, CLEAN.replace('-p tcp', '-s 2001:db8::1/128 -p tcp'))
  for (const name of ['iptables.md', 'readme.txt', '.hidden.rules', 'deep/rules.v4~']) write(`etc/${name}`, 'nothing')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the command line', () => {
  test.each([
    [['--help'], 0, 'usage: 5x5 COMMAND'],
    [[], 0, 'usage: 5x5 COMMAND'],
    [['help', 'trace'], 0, "usage: 5x5 trace [flags] [RULES...] 'PACKET'"],
    [['check', '--help'], 0, 'exit code:'],
    [['fmt', '--help'], 0, 'exit code:'],
    [['explain', '--help'], 0, 'exit code:'],
    [['docs', '--help'], 0, 'exit code:'],
    [['docs', 'nfqueue'], 0, '### Target NFQUEUE\n'],
    [['docs', 'set', 'SET'], 0, '### Target SET\n'],
    [['explain', 'clean.rules'], 0, 'clean.rules:5  accepts tcp packets to port 22\n'],
    [['trace', '-h'], 0, 'exit code:'],
    [['simulate', '--help'], 0, 'exit code:'],
    [['--version'], 0, /^5x5 \d+\.\d+\.\d+\n$/],
    [['check', 'clean.rules'], 0, 'no problem in clean.rules (1 rule'],
    [['check', 'bom.rules'], 0, 'no problem in bom.rules (1 rule'],
    [['check', 'wrong.rules'], 1, 'did you mean `ACCEPT`?'],
    [['check', 'clean.rules', 'wrong.rules'], 1, 'no problem in clean.rules'],
    [['check', 'empty.rules'], 1, 'the file is empty'],
    [['fmt', 'clean.rules'], 0, CLEAN],
    [['fmt', '--check', 'clean.rules'], 0, ''],
    [['trace', 'clean.rules', PACKET], 0, 'Accepted: it is delivered to 203.0.113.2:22'],
    [['trace', 'clean.rules', '--topology', 'host.yaml', PACKET], 0, '203.0.113.2 is an address of this host (eth0)'],
  ])('5x5 %j', (words, code, text) => {
    const { status, stdout, stderr } = start(words)
    expect({ status, stderr }).toEqual({ status: code, stderr: '' })
    if (typeof text === 'string') expect(stdout).toContain(text)
    else expect(stdout).toMatch(text)
  })

  test.each([
    [['chek', 'clean.rules'], 'there is no command `chek`', 'did you mean `check`?'],
    [['--jsn'], 'there is no command `--jsn`', 'the command comes first'],
    [['check', '--jsn', 'clean.rules'], 'has no flag `--jsn`', 'did you mean `--json`?'],
    [['check', '--backend'], '--backend', '--help lists the flags'],
    [['check', '--backend', 'ebtables', 'clean.rules'], 'the backends are `legacy` and `nft`', ''],
    [['check', '--family', 'ipx', 'clean.rules'], 'the families are `ipv4` and `ipv6`', ''],
    [['check'], 'which file?', 'usage: 5x5 check'],
    [['check', 'clena.rules'], '`clena.rules` does not exist', 'did you mean `clean.rules`?'],
    [['check', 'clean.rules/more'], 'does not exist', ''],
    [['check', 'directory'], 'there is no ruleset in `directory`', '*.rules'],
    [['trace', 'directory', PACKET], '`directory` is a directory', ''],
    [['check', 'circle'], 'leads in a circle', ''],
    [['check', 'binary.rules'], 'is a binary file', ''],
    [['check', 'utf16.rules'], 'UTF-16', ''],
    [['check', '-', '-'], 'can be read only once', ''],
    [['fmt', '--write', '-'], '`--write`', ''],
    [['docs', 'tpc'], 'there is no match or target `tpc`', 'did you mean `tcp`?'],
    [['trace', 'clean.rules'], 'which packet?', ''],
    [['trace', PACKET], 'which rules?', ''],
    [['trace', 'clean.rules', 'eth0 tcp 198.51.100.7 > 203.0.113.2:22 synn'], '`synn`', '^^^^'],
  ])('5x5 %j is refused in one line', (words, message, help) => {
    const { status, stdout, stderr } = start(words)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr.split('\n')[0]).toMatch(/^error: /)
    expect(stderr.split('\n')[0]).toContain(message)
    expect(stderr).toContain(help)
    expect(stderr).not.toMatch(/\n {4}at |node:internal/)
  })

  test('a file that may not be read', () => {
    if (process.getuid?.() === 0) return
    write('secret.rules', CLEAN)
    chmodSync(join(folder, 'secret.rules'), 0)
    expect(start(['check', 'secret.rules']).stderr).toContain('permission denied')
  })

  test('a large file is read', () => {
    const rule = '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 443 -j ACCEPT\n'
    write('large.rules', CLEAN.replace('COMMIT', `${rule.repeat(100_000)}COMMIT`))
    expect(start(['fmt', '--check', 'large.rules'])).toMatchObject({ status: 0, stderr: '' })
  })
})

test('a file that needs more memory than there is', () => {
  write('huge.rules', CLEAN.replace('COMMIT', `${'# nothing\n'.repeat(1_000_000)}COMMIT`))
  const { status, stderr } = start(['check', 'huge.rules'], '', { NODE_OPTIONS: '--max-old-space-size=40' })
  expect({ status, line: stderr.split('\n')[0] }).toEqual({ status: 2, line: expect.stringContaining('`huge.rules` is too large: 10 MB of rules need about 1 GB of memory') })
})

describe('streams', () => {
  test('standard input', () => {
    expect(start(['check', '-'], WRONG)).toMatchObject({ status: 1, stderr: '' })
    expect(start(['check', '-'], WRONG).stdout).toContain('--> standard input:5:38')
    expect(start(['fmt', '-'], CLEAN).stdout).toBe(CLEAN)
  })

  test('colours only where they are wanted', () => {
    expect(start(['check', 'wrong.rules']).stdout).not.toContain('\u001b[')
    expect(start(['check', 'wrong.rules'], '', { FORCE_COLOR: '1' }).stdout).toContain('\u001b[1;31merror')
    expect(start(['check', 'wrong.rules'], '', { NO_COLOR: '1' }).stdout).not.toContain('\u001b[')
  })

  test('a pipe that is closed early is no error', () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${MAIN}" fmt large.rules | head -n 1`], { cwd: folder, encoding: 'utf8' })
    expect({ stdout, stderr }).toEqual({ stdout: '*filter\n', stderr: '' })
  })

  test('check --json', () => {
    const report = JSON.parse(start(['check', '--json', 'clean.rules', 'wrong.rules']).stdout) as unknown
    expect(report).toEqual({
      files: [
        { path: 'clean.rules', partial: false, diagnostics: [] },
        {
          path: 'wrong.rules', partial: true,
          diagnostics: [{ code: 'unknown-target', severity: 'error', message: 'there is no target or chain `ACEPT`', help: 'did you mean `ACCEPT`?', span: { start: { line: 5, column: 38 }, end: { line: 5, column: 43 } }, related: [] }],
        },
      ],
    })
  })

  test('explain --json', () => {
    const report = JSON.parse(start(['explain', '--json', 'clean.rules']).stdout) as { files: { tables: { chains: unknown[] }[] }[] }
    expect(report).toMatchObject({ files: [{ path: 'clean.rules', partial: false, tables: [{ table: 'filter' }] }] })
    expect(report.files[0]?.tables[0]?.chains[0]).toEqual({
      chain: 'INPUT', end: 'otherwise the packet is accepted (chain policy)',
      rules: [{ rule: 1, path: 'clean.rules', line: 5, text: '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', words: 'accepts tcp packets to port 22' }],
    })
  })

  test('trace --json', () => {
    const { packets } = JSON.parse(start(['trace', '--json', 'clean.rules', PACKET]).stdout) as { packets: { outcome: string; path: unknown; sentence: string; events: { line?: number }[] }[] }
    expect(packets[0]).toMatchObject({ packet: PACKET, outcome: 'local', path: [['filter', 'INPUT', 1]], sentence: expect.stringContaining('clean.rules:5') })
    expect(packets[0]?.events).toContainEqual(expect.objectContaining({ kind: 'rule', hook: 'INPUT', table: 'filter', chain: 'INPUT', rule: 1, line: 5, did: 'accept' }))
  })
})

describe('directories', () => {
  const FOUND = ['etc/b.rules', 'etc/c.rules6', 'etc/deep/iptables.conf', 'etc/deep/nft-save', 'etc/rules.v4', 'etc/rules.v6']

  test('check finds the rulesets in it, names what has findings, and sums up', () => {
    const { status, stdout, stderr } = start(['check', 'etc', 'wrong.rules'])
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    expect(stdout).toContain('\n1 error in wrong.rules (0 rules)\n')
    expect(stdout).toMatch(/\n\n1 error in 1 of 7 files \(6 rules, [\d.]+ s\)\n$/)
    expect(start(['check', 'etc']).stdout).toMatch(/^no problem in 6 files \(6 rules, [\d.]+ s\)\n$/)
  })

  test('the name tells the family', () => {
    const { files } = JSON.parse(start(['check', '--json', 'etc']).stdout) as { files: { path: string; diagnostics: unknown[] }[] }
    expect(files.map(({ path, diagnostics }) => ({ path, diagnostics }))).toEqual(FOUND.map(path => ({ path, diagnostics: [] })))
  })

  test('fmt says which file is which', () => {
    expect(start(['fmt', '--check', 'etc'])).toMatchObject({ status: 0, stdout: '', stderr: '' })
    expect(start(['fmt', 'etc/deep']).stdout).toBe(`# etc/deep/iptables.conf\n${CLEAN}# etc/deep/nft-save\n${CLEAN}`)
  })

  test('progress is for terminals, after a second', () => {
    const said: string[] = []
    let now = 0
    const terminal = { out: () => undefined, err: (text: string) => void said.push(text), paint: plain, paintErr: plain, directory: folder, seconds: () => now }
    const quiet = makeProgress(terminal)
    const progress = makeProgress({ ...terminal, errColumns: 20 })
    for (now of [0, 0.5, 1.2, 1.25, 1.4]) for (const one of [quiet, progress]) one.step(1 + now, 10, `checking ${now}`)
    progress.clear()
    progress.clear()
    expect(said).toEqual(['\r\u001b[K2.2 of 10  checking', '\r\u001b[K2.4 of 10  checking', '\r\u001b[K'])
  })
})

describe('fmt', () => {
  const messy = `# ours\n${CLEAN.replace('-p tcp -m tcp --dport 22', '--protocol 6 --dport ssh')}`

  test('--check lists what is not formatted', () => {
    write('messy.rules', messy)
    expect(start(['fmt', '--check', 'clean.rules', 'messy.rules'])).toMatchObject({ status: 1, stdout: 'messy.rules\n' })
  })

  test('--write keeps comments unless told otherwise', () => {
    write('messy.rules', messy)
    expect(start(['fmt', '--write', 'messy.rules'])).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('messy.rules:1: not written') })
    expect(readFileSync(join(folder, 'messy.rules'), 'utf8')).toBe(messy)
    expect(start(['fmt', '--write', '--drop-comments', 'messy.rules'])).toMatchObject({ status: 0, stdout: 'messy.rules\n' })
    expect(readFileSync(join(folder, 'messy.rules'), 'utf8')).toBe(CLEAN)
  })

  test('a file with errors is not written', () => {
    expect(start(['fmt', '--write', 'wrong.rules'])).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('is not formatted: loading would refuse it') })
    expect(readFileSync(join(folder, 'wrong.rules'), 'utf8')).toBe(WRONG)
  })
})

function write(name: string, content: string | Buffer): void {
  writeFileSync(join(folder, name), content)
}

function start(words: readonly string[], input = '', environment: Readonly<Record<string, string>> = {}) {
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env
  return spawnSync(process.execPath, [MAIN, ...words], { cwd: folder, input, encoding: 'utf8', env: { ...inherited, ...environment }, maxBuffer: 1 << 28 })
}
