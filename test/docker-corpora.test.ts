/** The corpora's docker rules: moby's own documents of 29, and what a whole engine 20.10.24 wrote for containers that ran. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readEngine } from '../src/docker/engine.ts'
import { generateRules } from '../src/docker/generate.ts'
import { readHost } from '../src/docker/read-host.ts'
import { textOfLines } from '../src/draft/rule-book.ts'
import type { Family } from '../src/net/address.ts'
import { linesByTable } from './restore-tables.ts'

const DOCUMENTS = '../shared/corpora/docker'
const EXAMPLES = '../shared/facts/docker-examples'
const DUMPS = '../shared/corpora/generated/docker-20.10'

describe.skipIf(!existsSync(DOCUMENTS) || !existsSync(EXAMPLES))('documents of moby', () => {
  const documents = existsSync(DOCUMENTS) ? readdirSync(DOCUMENTS).filter(name => name.endsWith('.rules')).map(name => name.replace('.rules', '')) : []

  test.each(documents)('%s', name => {
    const folder = readdirSync(EXAMPLES).find(example => example.slice(3) === name) ?? ''
    const expected = linesByTable(readFileSync(`${DOCUMENTS}/${name}.rules`, 'utf8'))
    const made = linesByTable(rulesOf(readFileSync(`${EXAMPLES}/${folder}/compose.yaml`, 'utf8'), '29', 'ipv4'))
    expect(expected.size).toBeGreaterThan(0)
    for (const [table, lines] of expected) expect(made.get(table)).toEqual(lines)
  })
})

describe.skipIf(!existsSync(DUMPS))('dumps of engine 20.10.24', () => {
  const dumps = existsSync(DUMPS) ? readdirSync(DUMPS).filter(name => /\.rules6?$/.test(name)) : []

  test.each(dumps)('%s', name => {
    const text = readFileSync(`${DUMPS}/${name}`, 'utf8')
    // The bridges of the three networks are drawn by lot in each run; IPv6 has the same as IPv4.
    const ipv4 = readFileSync(`${DUMPS}/${name.replace(/6$/, '')}`, 'utf8')
    const bridge = (pattern: RegExp): string => pattern.exec(ipv4)?.[1] ?? ''
    const ids = { app: bridge(/-s 172\.30\.0\.0\/16 ! -o br-(\w+)/) || bridge(/-o br-(\w+) .*172\.30/), backend: bridge(/! -s 172\.31\.0\.0\/16 -o br-(\w+)/), noicc: bridge(/-s 172\.29\.0\.0\/24 ! -o br-(\w+)/) }
    const made = rulesOf(fiveContainers(ids, !name.includes('noproxy')), '20.10.24', name.endsWith('6') ? 'ipv6' : 'ipv4')
    expect(linesByTable(made)).toEqual(linesByTable(text.replace(/^-A DOCKER-USER .*eth0 .*\n/m, '')))
  })
})

function fiveContainers(ids: Readonly<Record<'app' | 'backend' | 'noicc', string>>, proxy: boolean): string {
  return `
name: five
x-docker: {userland-proxy: ${proxy}, ip6tables: true, ipv6: true, fixed-cidr-v6: "fd00:dead::/64", host-ip-forward: 1}
services:
  web: {image: bb, network_mode: bridge, ports: ["80:8080", "127.0.0.1:8443:8443/tcp", "5353:53/udp"]}
  api: {image: bb, networks: [app, backend], ports: ["8000-8005:9000-9005"], depends_on: [web]}
  db: {image: bb, networks: [backend], depends_on: [api]}
  cache: {image: bb, networks: [noicc], ports: ["203.0.113.10:6379:6379"], depends_on: [db]}
networks:
  app: {x-id: "${ids.app}", ipam: {config: [{subnet: 172.30.0.0/16}]}}
  backend: {x-id: "${ids.backend}", internal: true, ipam: {config: [{subnet: 172.31.0.0/16}]}}
  noicc: {x-id: "${ids.noicc}", ipam: {config: [{subnet: 172.29.0.0/24}]}, driver_opts: {com.docker.network.bridge.enable_icc: "false"}}
`
}

function rulesOf(text: string, release: string, family: Family): string {
  const engine = readEngine(release)
  if (!engine) throw new Error(`${release} is a release`)
  return textOfLines(generateRules(readHost({ compose: { path: 'compose.yaml', text }, engine, directory: 'corpora' }).value, family))
}
