/** A node with calico -> the steps that felix does with its iptables dataplane, IPv4. */

import { append, flushChain, insert, makeChain } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import type { Family } from '../net/address.ts'
import type { CalicoNode } from './calico.ts'
import { podChains } from './felix-policies.ts'
import { withHashes } from './felix-rule.ts'
import { appendedRules, insertedJumps, staticChains } from './felix-static.ts'

const OWNER = 'felix'

/** Returns the steps of a node. A hash tells felix which rules are its own. */
export function calicoSteps(node: CalicoNode, family: Family): readonly Step[] {
  if (family !== 'ipv4') return []
  return [
    ...[...staticChains(node), ...podChains(node)].flatMap(({ table, name, rules }) => {
      const place = { table, chain: name }
      return [rules.length === 0 ? makeChain(place) : flushChain(place), ...withHashes(rules, name, OWNER).map(rule => append(place, rule))]
    }),
    ...insertedJumps().flatMap(({ table, name, rules }) => withHashes(rules, name, OWNER).map(rule => insert({ table, chain: name }, rule))),
    ...appendedRules().flatMap(({ table, name, rules }) => withHashes(rules, `${name}*appends*`, OWNER).map(rule => append({ table, chain: name }, rule))),
  ]
}
