/** Names in packets, variables in compose files, releases of the engine, and the digest that names bridges. */

import { describe, expect, test } from 'vitest'
import { isAtLeast, readEngine } from '../src/docker/engine.ts'
import { fillVariables } from '../src/docker/interpolate.ts'
import { fillNames } from '../src/docker/names.ts'
import { assumedOutside } from '../src/docker/outside.ts'
import { readHost } from '../src/docker/read-host.ts'

const COMPOSE = `
name: p
services:
  web: {image: x, networks: [front, back], ports: ["80:80"]}
  db: {image: x, networks: [back]}
  side: {image: x, network_mode: "service:web"}
  agent: {image: x, network_mode: host}
  six: {image: x, networks: [only6]}
networks:
  front: {}
  back: {}
  only6: {enable_ipv4: false, enable_ipv6: true, ipam: {config: [{subnet: "2001:db8:6::/64"}]}}
`

describe('names in packets', () => {
  const engine = readEngine('29')
  if (!engine) throw new Error('29 is a release')
  const { value } = readHost({ compose: { path: 'compose.yaml', text: COMPOSE }, engine, directory: 'p' })
  const { namespace } = assumedOutside(value)
  const cases: readonly (readonly [string, string])[] = [
    ['eth0 tcp 198.51.100.7:40000 > HOST:80', 'eth0 tcp 198.51.100.7:40000 > 203.0.113.10:80'],
    ['eth0 tcp [2001:db8::7]:40000 > HOST:80', 'eth0 tcp [2001:db8::7]:40000 > [2001:db8:ffff::10]:80'],
    ['tcp web > db:5432', 'p-web-1/ tcp 172.18.0.3 > 172.18.0.2:5432'],
    ['tcp db > web:80 syn', 'p-db-1/ tcp 172.18.0.2 > 172.18.0.3:80 syn'],
    ['eth0 tcp 198.51.100.7 > web:80', 'eth0 tcp 198.51.100.7 > 172.18.0.3:80'],
    ['tcp HOST > side:80', 'tcp 172.18.0.1 > 172.18.0.3:80'],
    ['tcp HOST > 198.51.100.7:443', 'tcp 203.0.113.10 > 198.51.100.7:443'],
    ['tcp agent > web:80', 'tcp 203.0.113.10 > 172.18.0.3:80'],
    ['tcp six > HOST:80', 'p-six-1/ tcp 2001:db8:6::2 > [2001:db8:ffff::10]:80'],
    ['icmp p-web-1 > 198.51.100.7', 'p-web-1/ icmp 172.18.0.3 > 198.51.100.7'],
    ['reply rst', 'reply rst'],
  ]

  test.each(cases)('%s', (text, filled) => {
    expect(fillNames(text, value, namespace)).toEqual({ ok: true, text: filled })
  })

  test('a name that nobody has', () => {
    expect(fillNames('tcp weeb > db:5432', value, namespace)).toEqual({ ok: false, problem: 'there is no container or service `weeb`', help: 'did you mean `web`?' })
    expect(fillNames('tcp six > db:1', value, namespace)).toEqual({ ok: false, problem: '`db` has no IPv6 address', help: 'name another one' })
  })
})

test('variables are filled in', () => {
  const problems: string[] = []
  const fill = (text: string): string => fillVariables(text, { A: '1', EMPTY: '' }, ({ message }) => void problems.push(message))
  expect(['$A', '${A}b', '$$A', '${B:-2}', '${EMPTY-3}', '${EMPTY:-4}', '${A:+5}', '${B:+5}', '${B:-${A}}'].map(fill)).toEqual(['1', '1b', '$A', '2', '', '4', '5', '', '1'])
  expect(problems).toEqual([])
  expect([fill('${B}'), fill('${B:?needed}'), fill('${')]).toEqual(['', '', '${'])
  expect(problems).toEqual(['variable `B` is not set: it is empty', 'variable `B` must be set: needed', '`${` is not a variable'])
})

test('releases belong to flavors', () => {
  const flavors = ['20.10.24', '23.0.1', '24.0.5', '24.0.6', '26.1', '27', 'v27.5.1', '28.0.0', '28.0.1', '28.1', '28.2.0', '28', '29', '30.1', 'classic'].map(text => readEngine(text)?.flavor)
  expect(flavors).toEqual(['classic20', 'classic20', 'classic20', 'classic', 'classic', 'classic27', 'classic27', '28.0.0', '28.0.1', '28.0.1', '28.2', '28.2', '29', '29', 'classic'])
  expect([readEngine('19.03'), readEngine('next'), readEngine('')]).toEqual([undefined, undefined, undefined])
  expect(isAtLeast({ major: 28, minor: 2, patch: 0 }, 28, 2, 1)).toBe(false)
})
