/** What users give by mistake: the wrong kind of file, and places where nothing can be written. One clear line, exit code 2. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { printedBy } from './printed-by.ts'

const folder = mkdtempSync(join(tmpdir(), 'odd-input-'))
afterAll(() => rmSync(folder, { recursive: true }))

const RULES = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n'
const NFT = 'table inet filter {\n  chain input { type filter hook input priority 0; }\n}\n'
const COMPOSE = 'services:\n  web: { image: nginx, ports: ["8080:80"] }\n'
for (const [name, text] of Object.entries({ 'fw.rules': RULES, 'fw.nft': NFT, 'compose.yaml': COMPOSE, 'broken.rules': `${RULES}-A INPUT -j ACCEPT\n`, 'twice.rules': RULES + RULES, 'uncommitted.rules': RULES.replace('COMMIT\n', '') })) writeFileSync(join(folder, name), text)

const PACKET = 'eth0 tcp 198.51.100.7 > 203.0.113.2:22'

test.each([
  ['trace', 'fw.nft', PACKET], ['reach', 'fw.nft', 'from any to host ssh'], ['matrix', 'fw.nft'], ['witness', 'fw.nft'], ['diff', 'fw.rules', 'fw.nft'], ['optimise', 'fw.nft'], ['trace', 'compose.yaml', PACKET],
])('%s refuses %s: it is no ruleset', async (...words) => {
  expect(await printedBy(words, folder)).toMatch(/^error: `(fw\.nft|compose\.yaml)`: th(is|ese) [\s\S]*\(exit code 2\)\n$/)
})

test.each([['compile'], ['test'], ['docker'], ['kube'], ['cni']])('%s refuses a ruleset', async command => {
  expect(await printedBy([command, 'fw.rules'], folder)).toMatch(/^error: `fw\.rules` is a ruleset, not a[\s\S]*\(exit code 2\)\n$/)
})

test('optimise shows the line that it cannot read', async () => {
  expect(await printedBy(['optimise', 'broken.rules'], folder)).toContain('broken.rules:5:1')
})

test('docker writes no rules of a file that describes nothing', async () => {
  const printed = await printedBy(['docker', 'fw.nft'], folder)
  expect(printed).toContain('no rules are written')
  expect(printed).not.toContain('*nat')
})

test.each([
  [['docker', 'compose.yaml', '-o', 'fw.rules/deep'], 'a part of the path is a file'],
  [['optimise', 'fw.rules', '-o', 'absent/out.rules'], 'its directory does not exist'],
  [['lint', 'fw.rules', '--no-config', '--output', 'json=absent/out.json'], 'its directory does not exist'],
  [['lint', 'fw.rules', '--no-config', '--write-baseline', 'fw.rules/'], 'a name with `/` at its end is that of a directory'],
])('%j says why it cannot write', async (words, why) => {
  const printed = await printedBy(words, folder)
  expect(printed).toContain(`cannot be written: ${why}`)
  expect(printed).toMatch(/\(exit code 2\)\n$/)
})

test.skipIf(!existsSync('/proc/self'))('a place that takes no directories is no endless search', async () => {
  expect(await printedBy(['docker', 'compose.yaml', '-o', '/proc/absent'], folder)).toMatch(/error: `\/proc\/absent` cannot be made: \/proc takes no directories\n\(exit code 2\)\n$/)
})

test('explain names the file that is missing, beside a code', async () => {
  expect(await printedBy(['explain', 'shadowed-rule', 'absent.rules'], folder)).toMatch(/^error: `absent\.rules` does not exist\n/)
})

test.each([['explain'], ['witness'], ['optimise'], ['matrix'], ['decompile'], ['fmt'], ['diff', 'fw.rules'], ['reach', 'from any to host ssh'], ['trace', PACKET]])('%s says which rules are not loaded, of %s', async (command, ...others) => {
  const words = command === 'diff' ? [command, ...others, 'twice.rules'] : [command, 'twice.rules', ...others]
  expect(await printedBy(words, folder)).toContain('table filter begins a second time: the rule that stands in it before is not loaded')
})

test('fmt does not write rules away', async () => {
  expect(await printedBy(['fmt', '--write', 'twice.rules'], folder)).toContain('twice.rules: not written: the rules that are not loaded would be lost')
})

test.each([['explain'], ['witness'], ['optimise'], ['matrix'], ['reach', 'from any to host ssh']])('%s says that loading would refuse the rules', async (command, ...others) => {
  expect(await printedBy([command, 'uncommitted.rules', ...others], folder)).toContain('warning: loading would refuse `uncommitted.rules`: 1 error (5x5 check shows it)')
})

test('diff does not read standard input twice', async () => {
  expect(await printedBy(['diff', '-', '-'], folder)).toMatch(/can be read only once/)
})
