/** The language server, bundled as it is published and driven over its standard streams; and the grammar that colours policies in editors. */

import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node.js'
import type { MessageConnection } from 'vscode-languageserver/node.js'
import { KEYWORDS, PLACED_WORDS } from '../grammar/policy-tokens.ts'
import { plain } from '../src/report/paint.ts'
import { run } from '../cli/run.ts'

const BUNDLE = 'dist/language-server'
const TEXT = `include "zones.gate"
let admins = 198.51.100.7, 2001:db8:5::/64
let web = http,https

allow ssh from admins to fw "jump hosts"
allow web,  ping from wan to fw
never_a_word
masquerade fw out lan ipv6
`
const GOOD = TEXT.replace('never_a_word\n', '')
const ZONES = 'zone wan = eth0\nzone lan = eth1\n'

let folder = ''
let server: ChildProcessWithoutNullStreams
let client: MessageConnection
const published = new Map<string, readonly { readonly code: string; readonly message: string; readonly range: unknown }[]>()
const uri = (name: string): string => pathToFileURL(join(folder, name)).href

beforeAll(async () => {
  await build({ entryPoints: ['cli/main.ts'], bundle: true, packages: 'external', platform: 'node', format: 'esm', splitting: true, outdir: BUNDLE, logLevel: 'warning' })
  folder = mkdtempSync(join(tmpdir(), '5x5-'))
  writeFileSync(join(folder, 'main.gate'), TEXT)
  writeFileSync(join(folder, 'zones.gate'), ZONES)
  server = spawn('node', [`${BUNDLE}/main.js`, 'lsp', '--stdio'])
  client = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin))
  client.onNotification('textDocument/publishDiagnostics', ({ uri: where, diagnostics }) => void published.set(where, diagnostics))
  client.listen()
  await client.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} })
  await client.sendNotification('initialized', {})
  await client.sendNotification('textDocument/didOpen', { textDocument: { uri: uri('main.gate'), languageId: 'gate', version: 1, text: TEXT } })
})

afterAll(() => {
  client.dispose()
  server.kill()
  rmSync(folder, { recursive: true, force: true })
  rmSync(BUNDLE, { recursive: true, force: true })
})

describe('the language server', () => {
  test('what is wrong is told, and taken back when it is mended', async () => {
    await ask('textDocument/hover', 0, 0)
    expect(published.get(uri('main.gate'))).toMatchObject([{ code: 'policy-syntax', range: { start: { line: 6, character: 0 }, end: { line: 6, character: 12 } } }])
    await client.sendNotification('textDocument/didChange', { textDocument: { uri: uri('main.gate'), version: 2 }, contentChanges: [{ range: { start: { line: 6, character: 0 }, end: { line: 7, character: 0 } }, text: '' }] })
    await ask('textDocument/hover', 0, 0)
    expect(published.get(uri('main.gate'))?.filter(({ code }) => code !== 'one-family')).toEqual([])
    expect(published.get(uri('zones.gate'))).toEqual([])
  })

  test('hovering tells what a name means, and what a sentence becomes', async () => {
    expect(await ask('textDocument/hover', 4, 16)).toMatchObject({ contents: { kind: 'markdown', value: '```\nlet admins = 198.51.100.7, 2001:db8:5::/64\n```\n2 prefixes: 198.51.100.7, 2001:db8:5::/64' } })
    expect(await ask('textDocument/hover', 4, 7)).toMatchObject({ contents: { value: 'service `ssh`: tcp/22' }, range: { start: { line: 4, character: 6 }, end: { line: 4, character: 9 } } })
    expect(await ask('textDocument/hover', 5, 7)).toMatchObject({ contents: { value: '```\nlet web = http,https\n```\ntcp/80,443' } })
    expect(await ask('textDocument/hover', 5, 23)).toMatchObject({ contents: { value: '```\nzone wan = eth0\n```' } })
    expect(await ask('textDocument/hover', 4, 1)).toMatchObject({ contents: { value: 'IPv4, 1 rule:\n```\n-A gate-in -s 198.51.100.7/32 -p tcp -m tcp --dport 22 -j ACCEPT\n```\nIPv6, 1 rule:\n```\n-A gate-in -s 2001:db8:5::/64 -p tcp -m tcp --dport 22 -j ACCEPT\n```' } })
    expect(await ask('textDocument/hover', 6, 2)).toMatchObject({ contents: { value: 'IPv6, 1 rule:\n```\n-t nat -A gate-snat -o eth1 -m addrtype --src-type LOCAL -j MASQUERADE\n```' } })
    expect(await ask('textDocument/hover', 3, 0)).toBeNull()
  })

  test('a definition is found in the file that is included', async () => {
    expect(await ask('textDocument/definition', 5, 23)).toEqual({ uri: uri('zones.gate'), range: { start: { line: 0, character: 5 }, end: { line: 0, character: 8 } } })
    expect(await ask('textDocument/definition', 4, 7)).toBeNull()
  })

  test('renaming changes all files, and refuses what cannot be a name', async () => {
    const wan = { newText: 'outside' }
    expect(await ask('textDocument/rename', 5, 23, { newName: 'outside' })).toEqual({ changes: {
      [uri('main.gate')]: [{ ...wan, range: { start: { line: 5, character: 22 }, end: { line: 5, character: 25 } } }],
      [uri('zones.gate')]: [{ ...wan, range: { start: { line: 0, character: 5 }, end: { line: 0, character: 8 } } }],
    } })
    await expect(ask('textDocument/rename', 5, 23, { newName: 'allow' })).rejects.toThrow('`allow` is a word of the language and cannot be a name')
    await expect(ask('textDocument/rename', 5, 23, { newName: 'lan' })).rejects.toThrow('`lan` is defined already')
    await expect(ask('textDocument/rename', 5, 23, { newName: '10.0.0.1' })).rejects.toThrow('is no name')
    expect(await ask('textDocument/prepareRename', 4, 7)).toBeNull()
  })

  test('formatting gives the formatted text', async () => {
    const edits = await ask('textDocument/formatting', 0, 0, { options: { tabSize: 2, insertSpaces: true } })
    expect(edits).toMatchObject([{ newText: GOOD.replace('let web =', 'let web    =').replace('http,https', 'http, https').replace('allow ssh ', 'allow ssh       ').replace('fw "', 'fw  "').replace('web,  ping', 'web, ping ').replace('ping  from', 'ping from') }])
  })

  test('completion offers what can stand there', async () => {
    const labels = async (line: number, character: number): Promise<readonly string[]> => (await ask('textDocument/completion', line, character) as readonly { readonly label: string }[]).map(({ label }) => label)
    expect(await labels(5, 22)).toEqual(['wan', 'lan', 'admins', 'any', 'fw'])
    expect(await labels(5, 6)).toEqual(expect.arrayContaining(['web', 'ssh', 'icmp-essentials', 'tcp', 'from', 'published']))
    expect(await labels(3, 0)).toEqual(expect.arrayContaining(['allow', 'zone', 'test']))
    expect(await labels(3, 0)).not.toContain('ssh')
    expect(await labels(6, 22)).toEqual(expect.arrayContaining(['ipv4', 'ipv6']))
  })

  test('an included file that is open belongs to the one that includes it', async () => {
    await client.sendNotification('textDocument/didOpen', { textDocument: { uri: uri('zones.gate'), languageId: 'gate', version: 1, text: ZONES.replace('eth0', 'ppp0') } })
    expect(await ask('textDocument/hover', 5, 23)).toMatchObject({ contents: { value: '```\nzone wan = ppp0\n```' } })
    expect(await client.sendRequest('textDocument/references', { textDocument: { uri: uri('zones.gate') }, position: { line: 0, character: 6 }, context: { includeDeclaration: true } })).toHaveLength(2)
  })

  test('it ends when the editor says so', async () => {
    const code = new Promise(resolve => server.once('exit', resolve))
    await client.sendRequest('shutdown')
    await client.sendNotification('exit')
    expect(await code).toBe(0)
  })

  test('files on the command line are refused', async () => {
    const printed: string[] = []
    const write = (text: string): void => void printed.push(text)
    expect(await run(['lsp', 'a.gate'], { out: write, err: write, paint: plain, paintErr: plain, directory: '.' })).toBe(2)
    expect(printed.join('')).toContain('takes no files')
  })
})

describe('the TextMate grammar', () => {
  const grammar = JSON.parse(readFileSync('grammar/gate.tmLanguage.json', 'utf8')) as { readonly patterns: readonly { readonly name?: string; readonly match?: string }[] }

  /** The scope of the first pattern that takes the whole word, as an editor finds it. */
  const scopeOf = (word: string): string | undefined => grammar.patterns.find(({ match }) => match !== undefined && new RegExp(match).exec(word)?.[0] === word)?.name

  test('knows every word of the language', () => {
    expect([...KEYWORDS, ...PLACED_WORDS].filter(word => !/^(keyword|constant|support)/.test(scopeOf(word) ?? ''))).toEqual([])
  })

  test('tells names, addresses, dates and comments apart', () => {
    expect(['admins', 'log-server', 'let2', '2001:db8::/64', '10.0.0.0/8', '2026-12-31', '22', '# from here'].map(scopeOf)).toEqual([
      'variable.other.gate', 'variable.other.gate', 'variable.other.gate', 'constant.numeric.address.gate', 'constant.numeric.address.gate', 'constant.numeric.date.gate', 'constant.numeric.integer.gate', 'comment.line.number-sign.gate',
    ])
  })
})

async function ask(method: string, line: number, character: number, more: object = {}): Promise<unknown> {
  return client.sendRequest(method, { textDocument: { uri: uri('main.gate') }, position: { line, character }, ...more })
}
