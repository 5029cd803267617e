/** `5x5 lint` as it is used: configuration, suppressions, baselines, fixes, earlier commits, exit codes. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig } from '../src/lint/config.ts'
import { configSchema } from '../src/lint/config-schema.ts'
import { matchesGlob } from '../src/lint/glob.ts'
import { run } from '../cli/run.ts'
import { plain } from '../src/report/paint.ts'
import { unifiedDiff } from '../src/report/unified-diff.ts'
import { printedBy } from './printed-by.ts'

const head = '*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n'
const REDIS = '-A INPUT -p tcp -m tcp --dport 6379 -j ACCEPT\n'
const STATE = '-A INPUT -p tcp -m tcp --dport 443 -m state --state NEW -j ACCEPT\n'
const rules = (...lines: readonly string[]): string => `${head}${lines.join('')}COMMIT\n`

let folder = ''
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
const lint = (...words: readonly string[]): Promise<string> => printedBy(['lint', ...words], folder)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), '5x5-lint-'))
  mkdirSync(join(folder, '.git'))
  mkdirSync(join(folder, 'generated'))
  write('clean.rules', rules())
  write('redis.rules', rules(REDIS))
  write('generated/redis.rules', rules(REDIS))
  write('state.rules', rules(STATE))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('exit codes', () => {
  test.each([
    [['clean.rules'], 0], [['redis.rules'], 1], [['state.rules'], 0], [['state.rules', '--fail-on', 'note'], 1], [['redis.rules', '--fail-on', 'error'], 0],
    [['redis.rules', '--max-warnings', '1'], 0], [['redis.rules', '--max-warnings', '0'], 1], [['redis.rules', '--max-warnings', '0', '--fail-on', 'error'], 1], [['.'], 1],
    [['none.rules'], 2], [['redis.rules', '--fail-on', 'fatal'], 2], [['redis.rules', '--format', 'xml'], 2], [['redis.rules', '--output', 'sarif'], 2], [['redis.rules', '--keep-open', 'ssh'], 2], [['redis.rules', '--only', 'open-polcy'], 2], [[], 2],
  ] as const)('%j: %i', async (words, code) => {
    const printed = await lint(...words)
    expect(/\(exit code (\d)\)\n$/.exec(printed)?.[1] ?? '0').toBe(String(code))
  })
})

test('several formats at once', async () => {
  const printed = await lint('redis.rules', '--format', 'concise', '--output', 'sarif=out.sarif', '--output', 'junit=out.xml')
  expect(printed).toBe('redis.rules:7:1: warning[world-open-management-port] Redis (tcp port 6379) is open to the world\n(exit code 1)\n')
  expect((JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8')) as { version: string }).version).toBe('2.1.0')
  expect(readFileSync(join(folder, 'out.xml'), 'utf8')).toContain('<testsuites')
})

describe('configuration', () => {
  const withConfig = async (text: string, run: () => Promise<void>): Promise<void> => {
    write('fivebyfive.yaml', text)
    try {
      await run()
    } finally {
      rmSync(join(folder, 'fivebyfive.yaml'))
    }
  }

  test('levels, by path too; found upwards', () => withConfig("rules: { world-open-management-port: error }\npaths:\n  - files: 'generated/**'\n    rules: { world-open-management-port: off }\n", async () => {
    expect(await lint('redis.rules')).toContain('error[world-open-management-port]')
    expect(await lint('generated/redis.rules')).toMatch(/^no problem/)
    expect(await printedBy(['lint', 'redis.rules'], join(folder, 'generated'))).toMatch(/^no problem/)
    expect(await lint('redis.rules', '--no-config')).toContain('warning[world-open-management-port]')
  }))

  test('ignored files, what must stay open, and the level that fails', () => withConfig("fail-on: error\nkeep-open: tcp from 198.51.100.7 to port 22\npaths:\n  - files: [generated]\n    ignore: true\n", async () => {
    expect(await lint('generated')).toContain('no problem in 0 files')
    expect(await lint('redis.rules')).toContain('error[lock-out]: `tcp from 198.51.100.7 to port 22` is cut off')
  }))

  test('mistakes are told with their place', () => withConfig('ruls: {}\nrules: { open-polcy: error, open-policy: fatal }\ntrusted: [home]\n', async () => {
    const printed = await lint('redis.rules')
    for (const words of ['`ruls` is not known here', 'did you mean `rules`?', 'there is no rule `open-polcy`', 'did you mean `open-policy`?', '`fatal` is not a level', '`home` is not an address', 'fivebyfive.yaml:1:1', '(exit code 2)']) expect(printed).toContain(words)
  }))

  test('the schema is the one that ships, and refuses what the reader refuses', async () => {
    await expect(`${JSON.stringify(configSchema(), undefined, 2)}\n`).toMatchFileSnapshot('../schemas/fivebyfive.schema.json')
    const validate = new Ajv({ allowUnionTypes: true }).compile(configSchema())
    const texts = [
      '', 'rules: { open-policy: off }', 'rules: { open-policy: warn }', 'rules: { nothing: off }', 'paths: [{ files: a, ignore: true }]', 'paths: [{ ignore: true }]', 'trusted: 10.0.0.0/8',
      'trusted: [home]', "keep-open: ['tcp to port 22']", 'keep-open: [ssh]', 'fail-on: note', 'fail-on: all', 'max-warnings: 3', 'max-warnings: -1', 'baseline: b.json\ntopology: t.yaml', 'more: 1',
    ]
    const verdicts = texts.map(text => ({ text, ok: readConfig({ path: 'c', text }).diagnostics.length === 0 }))
    expect(texts.map(text => ({ text, ok: validate(parse(text)) }))).toEqual(verdicts)
    expect(verdicts.filter(({ ok }) => ok).length).toBe(8)
  })

  test.each([
    ['a/b.rules', '*.rules', true], ['a/b.rules', 'a/*.rules', true], ['a/c/b.rules', 'a/*.rules', false], ['a/c/b.rules', 'a/**/*.rules', true], ['a/b.rules', 'a', true], ['a/b.rules', 'a/', true],
    ['ab/b.rules', 'a', false], ['a/b.rules', '**', true], ['a.b', 'a?b', true], ['a/b', 'a?b', false], ['x/a+b.rules', 'x/a+b.rules', true],
  ])('%s fits %s: %s', (path, glob, fits) => expect(matchesGlob(path, glob)).toBe(fits))
})

describe('suppressions', () => {
  const ignore = '5x5-ignore world-open-management-port'
  test.each([
    ['a line before', [`# ${ignore}: a honeypot\n`, REDIS], /^no problem[^]*1 suppressed/],
    ['other comments between', [`# ${ignore}: a honeypot\n`, '# more\n', '\n', REDIS], /^no problem/],
    ['until a day that comes', [`# ${ignore}: a honeypot until 2999-01-01\n`, REDIS], /^no problem/],
    ['in the comment of the rule', [REDIS.replace('-j', `-m comment --comment "${ignore}: a honeypot" -j`)], /^no problem/],
    ['for the file', [REDIS, `# 5x5-ignore-file world-open-management-port: a honeypot\n`], /^no problem/],
    ['not for other lines', [`# ${ignore}: a honeypot\n`, STATE, REDIS], /unused-suppression[^]*world-open-management-port/],
    ['not without reason', [`# ${ignore}\n`, REDIS], /suppression-without-reason[^]*world-open-management-port/],
    ['not for an unknown code', ['# 5x5-ignore world-open-port: a honeypot\n', REDIS], /there is no such code/],
    ['not when it is over', [`# ${ignore}: a honeypot until 2020-01-01\n`, REDIS], /expired-suppression[^]*world-open-management-port/],
  ] as const)('%s', async (_what, lines, expected) => {
    write('suppressed.rules', rules(...lines))
    expect(await lint('suppressed.rules')).toMatch(expected)
  })
})

test('a baseline hides what it has, wherever the lines move', async () => {
  expect(await lint('redis.rules', '--write-baseline', 'base.json')).toBe('1 finding written to base.json\n')
  expect(await lint('redis.rules', '--baseline', 'base.json')).toMatch(/^no problem[^]*not shown: 1 in the baseline/)
  write('moved.rules', rules('# a line more\n', STATE, '-A INPUT  -p tcp -m tcp  --dport 6379   -j ACCEPT\n'))
  expect(await lint('moved.rules', '--baseline', 'base.json')).not.toContain('world-open-management-port')
  write('moved.rules', rules(REDIS, REDIS.replace('6379', '3306')))
  expect(await lint('moved.rules', '--baseline', 'base.json')).toContain('MySQL')
  write('no-base.json', '[]')
  expect(await lint('redis.rules', '--baseline', 'no-base.json')).toContain('is not a baseline')
})

test('--fix mends what is safe, --diff shows it, and a second run has nothing to do', async () => {
  write('fix.rules', rules(STATE))
  const diff = await lint('fix.rules', '--fix', '--diff')
  expect(diff).toContain('--- fix.rules\n+++ fix.rules\n@@ -4,5 +4,5 @@')
  expect(diff).toContain(`-${STATE}+${STATE.replace('-m state --state', '-m conntrack --ctstate')}`)
  expect(readFileSync(join(folder, 'fix.rules'), 'utf8')).toBe(rules(STATE))
  expect(await lint('fix.rules', '--fix')).toContain('fixed 1 finding in fix.rules')
  expect(readFileSync(join(folder, 'fix.rules'), 'utf8')).toBe(rules(STATE.replace('-m state --state', '-m conntrack --ctstate')))
  expect(await lint('fix.rules', '--fix', '--diff')).toBe('')
})

test('a unified diff is what diff -u prints', () => {
  const numbers = Array.from({ length: 40 }, (_, index) => `${index}`)
  for (const [before, after] of [[numbers, numbers.toSpliced(5, 2)], [numbers, numbers.toSpliced(3, 0, 'new')], [numbers, numbers.with(0, 'a').with(20, 'b').with(39, 'c')], [[], numbers], [numbers, []]] as const) {
    const [one, other] = [before, after].map(lines => lines.map(line => `${line}\n`).join(''))
    write('one', one ?? '')
    write('other', other ?? '')
    const { stdout } = spawnSync('diff', ['-u', '--label', 'x', '--label', 'x', 'one', 'other'], { cwd: folder, encoding: 'utf8' })
    expect(unifiedDiff('x', one ?? '', other ?? '').replace(/^(@@ -\d+),1 /gm, '$1 ')).toBe(stdout)
  }
})

test('--since reports only what the change brings', async () => {
  const repository = mkdtempSync(join(tmpdir(), '5x5-since-'))
  const git = (...words: readonly string[]): void => void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], { cwd: repository, stdio: 'pipe' })
  try {
    git('init', '-q')
    writeFileSync(join(repository, 'fw.rules'), rules(REDIS))
    git('add', '.')
    git('commit', '-qm', 'first')
    writeFileSync(join(repository, 'fw.rules'), rules(STATE, REDIS, REDIS.replace('6379', '27017')))
    const printed = await printedBy(['lint', 'fw.rules', '--since', 'HEAD'], repository)
    expect(printed).toContain('MongoDB')
    expect(printed).not.toContain('Redis')
    expect(printed).toContain('not shown: 1 there before')
    expect(await printedBy(['lint', 'fw.rules', '--since', 'nowhere'], repository)).toContain('git knows no commit `nowhere`')
    expect(await printedBy(['lint', 'redis.rules', '--since', 'HEAD'], folder)).toContain('needs a git repository')
  } finally {
    rmSync(repository, { recursive: true, force: true })
  }
})

test('a rule that no packet meets is told once, whatever it would do', async () => {
  write('once.rules', rules('-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n', '-A INPUT -p tcp -m tcp --dport 80 -j LOG\n', '-A OUTPUT -i eth0 -j ACCEPT\n'))
  const codes = [...(await lint('once.rules', '--format', 'concise')).matchAll(/^once\.rules:(\d+):\d+: \w+\[([a-z-]+)\]/gm)].map(([, line, code]) => `${line} ${code}`)
  expect(codes).toEqual(['8 log-after-verdict', '9 misplaced-device'])
})

test('the hooks and the action are YAML that names flags which exist', () => {
  const hooks = parse(readFileSync('.pre-commit-hooks.yaml', 'utf8')) as { id: string; entry: string; files: string; language: string }[]
  expect(hooks.map(({ id }) => id)).toEqual(['5x5-lint', '5x5-lint-fix'])
  for (const { files, language } of hooks) {
    expect(language).toBe('node')
    expect(['etc/iptables/rules.v4', 'fw.rules6', 'a/ip6tables', 'legacy-save'].every(path => new RegExp(files).test(path))).toBe(true)
    expect(new RegExp(files).test('src/main.ts')).toBe(false)
  }
  const action = parse(readFileSync('action.yml', 'utf8')) as { runs: { using: string; steps: { run?: string }[] }; inputs: Record<string, unknown> }
  const script = action.runs.steps.map(({ run }) => run ?? '').join('\n')
  expect(action.runs.using).toBe('composite')
  const { status, stderr } = spawnSync('bash', ['-n', '-c', script.replaceAll(/\$\{\{.*?\}\}/g, '')], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const help = readFileSync('cli/commands/lint.ts', 'utf8')
  for (const [flag = ''] of [...hooks.map(({ entry }) => entry), script].join(' ').matchAll(/--(since|fail-on|output|fix)\b/g)) expect(help).toContain(flag)
})

test('under GitHub Actions annotations follow by themselves, and the step gets a summary', async () => {
  write('summary.md', '')
  const printed: string[] = []
  const out = (text: string): void => void printed.push(text)
  const environment = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(folder, 'summary.md') }
  const start = (...words: readonly string[]): Promise<number> => run(['lint', ...words], { out, err: out, paint: plain, paintErr: plain, directory: folder, environment })
  expect(await start('redis.rules')).toBe(1)
  expect(printed.join('')).toContain('\n::warning file=redis.rules,line=7,endLine=7,col=1,endColumn=45,title=world-open-management-port::Redis')
  expect(readFileSync(join(folder, 'summary.md'), 'utf8')).toContain('### fivebyfive: 1 finding in 1 file\n')
  printed.length = 0
  await start('redis.rules', '--format', 'json')
  expect(printed.join('')).not.toContain('::warning')
})
