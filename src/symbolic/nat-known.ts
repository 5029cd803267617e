/** Nat of packets whose connection is known: the rules are not asked, the translation is the connection's. */

import type { Hook } from '../ir/hooks.ts'
import { sideOfHook } from './nat-classes.ts'
import type { PacketClass } from './packet-class.ts'
import type { Run } from './run.ts'

const FIELDS_OF = { source: ['ip.src', 'l4.sport'], destination: ['ip.dst', 'l4.dport'] } as const

/** Returns the packets as their connection's translation leaves them at a hook. */
export function translateKnown(run: Run, hook: Hook, { rewriting, set }: PacketClass): PacketClass {
  const { translation } = rewriting
  const values = FIELDS_OF[sideOfHook(hook)].flatMap(field => {
    const value = translation.get(field)
    return value ? [[field, value] as const] : []
  })
  return values.length === 0 ? { rewriting, set } : { rewriting: run.rewritings.with(rewriting, { values: new Map(values) }), set }
}
