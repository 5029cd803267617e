/** The rules of fixtures/docker/hosts are taken by the real programs of both backends, which save them as they were written. Needs the kernel: skipped elsewhere. */

import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Family } from '../../src/net/address.ts'
import { readEngine } from '../../src/docker/engine.ts'
import { assumedOutside } from '../../src/docker/outside.ts'
import { readHost } from '../../src/docker/read-host.ts'
import { toTopology } from '../../src/docker/to-topology.ts'
import { kernel } from './live.ts'
import { run, tryRun } from './shell.ts'
import { linesByTable } from '../restore-tables.ts'

const HOSTS = 'fixtures/docker/hosts'
const NAMESPACE = `5x5d-${process.pid}`
const { live } = kernel()

describe.skipIf(!live).each(['legacy', 'nft'] as const)('%s', backend => {
  beforeAll(() => void run(`ip netns add ${NAMESPACE}-${backend}`))
  afterAll(() => tryRun(`ip netns delete ${NAMESPACE}-${backend}`))

  test.each(readdirSync(HOSTS))('%s', folder => {
    const inside = `ip netns exec ${NAMESPACE}-${backend}`
    const sets = setsOf(`${HOSTS}/${folder}/compose.yaml`)
    if (sets !== '') run(`${inside} ipset restore`, sets)
    for (const family of ['ipv4', 'ipv6'] as const) {
      const text = readFileSync(`${HOSTS}/${folder}/rules.${family === 'ipv4' ? 'v4' : 'v6'}`, 'utf8')
      run(`${inside} ${program(family)}-${backend}-restore`, text)
      const saved = linesByTable(run(`${inside} ${program(family)}-${backend}-save`))
      for (const [table, lines] of linesByTable(text)) expect(saved.get(table)).toEqual(lines)
      run(`${inside} ${program(family)}-${backend}-restore`, ['raw', 'mangle', 'nat', 'filter'].map(table => `*${table}\nCOMMIT\n`).join(''))
    }
    if (sets !== '') run(`${inside} ipset destroy`)
  })
})

function program(family: Family): string {
  return family === 'ipv4' ? 'iptables' : 'ip6tables'
}

function setsOf(path: string): string {
  const text = readFileSync(path, 'utf8')
  const engine = readEngine(/^# engine (\S+)/.exec(text)?.[1] ?? '')
  if (!engine) throw new Error(`${path} names no engine`)
  const { value } = readHost({ compose: { path, text }, engine, directory: 'project' })
  const [main] = toTopology(value, assumedOutside(value).namespace).namespaces
  return (main?.ipsets ?? []).flatMap(({ name, type, family, entries }) => [`create ${name} ${type} family ${family}\n`, ...entries.map(entry => `add ${name} ${entry.text}\n`)]).join('')
}
