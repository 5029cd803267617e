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
for (const [name, text] of Object.entries({ 'fw.rules': RULES, 'fw.nft': NFT, 'compose.yaml': COMPOSE, 'broken.rules': `${RULES}-A INPUT -j ACCEPT\n` })) writeFileSync(join(folder, name), text)

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
])('%j says why it cannot write', async (words, why) => {
  const printed = await printedBy(words, folder)
  expect(printed).toContain(`cannot be written: ${why}`)
  expect(printed).toMatch(/\(exit code 2\)\n$/)
})

test.skipIf(!existsSync('/proc/self'))('a place that takes no directories is no endless search', async () => {
  expect(await printedBy(['docker', 'compose.yaml', '-o', '/proc/absent'], folder)).toMatch(/error: `\/proc\/absent` cannot be made: \/proc takes no directories\n\(exit code 2\)\n$/)
})
