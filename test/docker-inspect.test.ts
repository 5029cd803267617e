/** fixtures/docker/inspected: what docker prints of a host gives the rules that the compose file of the same host gives. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readEngine } from '../src/docker/engine.ts'
import { generateRules } from '../src/docker/generate.ts'
import { readHost } from '../src/docker/read-host.ts'
import { textOfLines } from '../src/draft/rule-book.ts'

const FOLDER = 'fixtures/docker/inspected'

test.each(['29', '28.1.1', '27.5.1'])('engine %s: the inspected host has the rules of its compose file', release => {
  const engine = readEngine(release)
  if (!engine) throw new Error(`${release} is a release`)
  const described = readHost({ compose: source('compose.yaml'), engine, directory: 'x' })
  const inspected = readHost({ compose: source('networks.json'), inspections: [source('containers.json')], engine, directory: 'x' })
  expect(inspected.diagnostics).toEqual([])
  for (const family of ['ipv4', 'ipv6'] as const) expect(textOfLines(generateRules(inspected.value, family))).toBe(textOfLines(generateRules(described.value, family)))
  expect(inspected.value.sandboxes.map(({ container, guests }) => [container, guests])).toEqual([['shop-db-1', []], ['old', []], ['shop-web-1', ['shop-side-1']]])
})

test('what is missing is said', () => {
  const engine = readEngine('29')
  if (!engine) throw new Error('29 is a release')
  const { diagnostics } = readHost({ compose: source('containers.json'), inspections: [{ path: 'more.json', text: '[{"Name": "x"}]' }], engine, directory: 'x' })
  expect(diagnostics.map(({ message }) => message)).toEqual([
    'this is neither a network nor a container',
    'container `shop-db-1` is on network `shop_back`, which is not described',
    'container `shop-web-1` is on network `shop_back`, which is not described',
    'container `shop-web-1` is on network `shop_front`, which is not described',
    'container `old` cannot have 10.99.0.2: network `bridge` does not have it',
  ])
})

function source(name: string): { readonly path: string; readonly text: string } {
  return { path: `${FOLDER}/${name}`, text: readFileSync(`${FOLDER}/${name}`, 'utf8') }
}
