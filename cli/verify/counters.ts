/** The packet counters of rules and chain policies, as `iptables-save -c` prints them. */

import type { Family } from '../../src/net/address.ts'
import { CONNTRACK_CHAIN, inside } from './lab.ts'
import type { Lab } from './lab.ts'
import { saveProgram } from './machine.ts'

/** Packets by `filter INPUT 2` and `filter INPUT policy`. */
export type Counters = ReadonlyMap<string, number>

/** Reads the counters of a namespace. */
export function readCounters(lab: Lab, namespace: string, family: Family): Counters {
  return parseCounters(inside(lab, namespace, [saveProgram(lab.backend, family), '-c']))
}

/** Returns the counters that a saved text tells. */
export function parseCounters(text: string): Counters {
  const counters = new Map<string, number>()
  const numbers = new Map<string, number>()
  let table = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim()
    const [, chain, policy, packets] = /^:(\S+) (\S+) \[(\d+):/.exec(line) ?? []
    if (chain !== undefined && policy !== '-') counters.set(`${table} ${chain} policy`, Number(packets))
    const [, hits, of] = /^\[(\d+):\d+\] -A (\S+)/.exec(line) ?? []
    if (of === undefined || of === CONNTRACK_CHAIN) continue
    const number = (numbers.get(`${table} ${of}`) ?? 0) + 1
    numbers.set(`${table} ${of}`, number)
    counters.set(`${table} ${of} ${number}`, Number(hits))
  }
  return counters
}
