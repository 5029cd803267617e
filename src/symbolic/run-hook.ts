/** Runs sets of packets through one hook: its tables, conntrack and nat in the kernel's order. The mirror of the simulator's run-hook.ts. */

import { HOOK_STEPS } from '../ir/hooks.ts'
import type { Hook, TableName } from '../ir/hooks.ts'
import { trackPackets } from './conntrack-sets.ts'
import { sideOfHook } from './nat-classes.ts'
import { withoutTaken } from './nat-clash.ts'
import { joinClasses } from './packet-class.ts'
import type { Classes, PacketClass } from './packet-class.ts'
import { rerouteClasses } from './route-output.ts'
import type { Rewriting } from './rewriting.ts'
import type { Run } from './run.ts'
import { runTable } from './run-table.ts'
import { translateKnown } from './nat-known.ts'
import { keyOfValue } from './value.ts'

/** Returns the packets that go on after a hook; those that end are noted in the run. */
export function runHook(run: Run, hook: Hook, entering: Classes): Classes {
  let classes = entering
  for (const step of HOOK_STEPS[run.backend][hook]) {
    if (classes.size === 0) break
    if (step === 'conntrack') classes = joinClasses(run.sets, asList(classes).flatMap(packets => trackPackets(run, packets, hook)))
    else if (step === 'nat') classes = runNat(run, hook, classes)
    else if (step === 'mangle' && hook === 'OUTPUT') classes = runMangleOutput(run, classes)
    else classes = runOneTable(run, hook, step, classes)
  }
  return classes
}

function runOneTable(run: Run, hook: Hook, table: TableName, classes: Classes): Classes {
  const chain = run.prepared.builtIn[table][hook]
  return chain ? runTable(run, hook, table, chain, classes) : classes
}

/** Kernel: mangle OUTPUT looks the route up again where addresses, mark or TOS changed (IPv6: also the hop limit). */
function runMangleOutput(run: Run, classes: Classes): Classes {
  const fields = ['ip.src', 'ip.dst', 'mark', 'ip.tos', ...(run.family === 'ipv6' ? (['ip.ttl'] as const) : [])] as const
  const before = new Map(asList(classes).map(packets => [packets.rewriting, packets.set]))
  const known = new Set([...before.keys()].map(rewriting => fields.map(field => keyOfValue(run.rewritings.valueOf(rewriting, field))).join(' ')))
  const after = runOneTable(run, 'OUTPUT', 'mangle', classes)
  if (known.size !== 1) return after
  const hasChanged = ({ rewriting }: PacketClass): boolean => !known.has(fields.map(field => keyOfValue(run.rewritings.valueOf(rewriting, field))).join(' '))
  return joinClasses(run.sets, asList(after).flatMap(packets => (hasChanged(packets) ? rerouteClasses(run, packets) : [packets])))
}

/** Nat at one hook: the table's rules for the first packet of a connection, the translation for all. */
function runNat(run: Run, hook: Hook, classes: Classes): Classes {
  const side = sideOfHook(hook)
  const asked: PacketClass[] = []
  const others: PacketClass[] = []
  for (const packets of asList(classes)) {
    const isAsked = packets.rewriting.connection === 'new' && !packets.rewriting.natDone[side]
    if (isAsked) asked.push(packets)
    else others.push(translateKnown(run, hook, packets))
  }
  const after = asked.length === 0 ? new Map<Rewriting, never>() : runOneTable(run, hook, 'nat', joinClasses(run.sets, asked))
  const done = asList(after).flatMap(packets => bindRest(run, hook, packets))
  const all = [...others, ...done]
  if (hook !== 'OUTPUT') return joinClasses(run.sets, all)
  return joinClasses(run.sets, all.flatMap(packets => (packets.rewriting.values.has('ip.dst') ? rerouteClasses(run, packets) : [packets])))
}

/** What no rule translates keeps its tuple, unless another connection has it. */
function bindRest(run: Run, hook: Hook, { rewriting, set }: PacketClass): readonly PacketClass[] {
  const side = sideOfHook(hook)
  if (rewriting.natDone[side]) return [{ rewriting, set }]
  return withoutTaken(run, side, undefined, { rewriting: run.rewritings.with(rewriting, { natDone: { [side]: true } }), set }).flatMap(result => {
    if (result.kind === 'accept') return [result.packets]
    run.end('drop', { kind: 'kernel', reason: 'confirm-clash', hook }, result.packets)
    return []
  })
}

function asList(classes: Classes): readonly PacketClass[] {
  return [...classes].map(([rewriting, set]) => ({ rewriting, set }))
}
