/** Runs a packet through one hook: its tables, conntrack and nat in the kernel's order. */

import type { Hook, TableName } from '../ir/hooks.ts'
import { HOOK_STEPS } from '../ir/hooks.ts'
import { confirmConnection, isIcmpError, removeFromHost, trackPacket } from './conntrack.ts'
import type { Flight } from './flight.ts'
import { isFragment } from './fragments.ts'
import { gatherFragments } from './gather-fragments.ts'
import { isNatDone, setUpNullBinding } from './nat.ts'
import { reroute } from './route-output.ts'
import { runBuiltInChain } from './run-chain.ts'
import { sideOfHook, translateIcmpError, translatePacket } from './translate.ts'
import { byKernel } from './verdict.ts'
import type { Ended, TableVerdict } from './verdict.ts'

/** Runs a hook; undefined where the packet goes on. POSTROUTING and INPUT enter a new connection into the table at their end. */
export function runHook(flight: Flight, hook: Hook): Ended | undefined {
  if ((hook === 'PREROUTING' || hook === 'OUTPUT') && isFragment(flight.packet) && !gatherFragments(flight, hook)) return byKernel('fragment-waits', hook)
  for (const step of HOOK_STEPS[flight.world.backend][hook]) {
    if (step === 'conntrack') {
      trackPacket(flight, hook)
      continue
    }
    const ended = step === 'nat' ? runNat(flight, hook) : step === 'mangle' && hook === 'OUTPUT' ? runMangleOutput(flight) : runTable(flight, hook, step)
    if (ended) return ended
  }
  const isLast = hook === 'POSTROUTING' || hook === 'INPUT'
  return isLast && !confirmConnection(flight) ? byKernel('confirm-clash', hook) : undefined
}

function runTable(flight: Flight, hook: Hook, table: TableName): Ended | undefined {
  const chain = flight.host.rulesets[flight.packet.family]?.builtIn[table][hook]
  if (!chain) return undefined
  flight.record?.({ kind: 'table', hook, table })
  return endedOf(runBuiltInChain(flight, hook, table, chain))
}

function endedOf(verdict: TableVerdict): Ended | undefined {
  return verdict.kind === 'accept' ? undefined : { kind: verdict.kind, by: verdict.by }
}

/** Kernel: mangle OUTPUT looks the route up again where addresses, mark or TOS changed (IPv6: also the hop limit). Source: iptable_mangle.c ipt_mangle_out(). */
function runMangleOutput(flight: Flight): Ended | undefined {
  const before = flight.packet
  const ended = runTable(flight, 'OUTPUT', 'mangle')
  if (ended) return ended
  const { packet } = flight
  const hasHopLimit = packet.family === 'ipv6' && packet.ttl !== before.ttl
  const hasChanged = packet.src !== before.src || packet.dst !== before.dst || packet.mark !== before.mark || packet.tos !== before.tos || hasHopLimit
  return hasChanged && !reroute(flight) ? byKernel('no-output-route', 'OUTPUT') : undefined
}

/**
 * Nat at one hook: the table's rules for the first packet of a connection, the translation for all.
 * Source: nf_nat_core.c nf_nat_inet_fn(), nf_nat_proto.c nf_nat_ipv4_fn() and its kin.
 */
function runNat(flight: Flight, hook: Hook): Ended | undefined {
  const { tracked } = flight
  if (!tracked) {
    flight.record?.({ kind: 'natSkipped', hook, why: flight.untracked ? 'untracked' : 'invalid' })
    return undefined
  }
  if (flight.info === 'related' && isIcmpError(flight)) {
    flight.record?.({ kind: 'natSkipped', hook, why: 'related' })
    translateIcmpError(flight, tracked, hook)
    return rerouteTranslated(flight, hook)
  }
  const side = sideOfHook(hook)
  if (flight.info !== 'established' && !isNatDone(tracked, side)) {
    const ended = runTable(flight, hook, 'nat')
    if (ended) return ended
    if (!isNatDone(tracked, side)) {
      const binding = setUpNullBinding(flight, tracked, side)
      if (binding) flight.record?.({ kind: 'nat', hook, by: undefined, binding })
    }
  } else {
    flight.record?.({ kind: 'natSkipped', hook, why: 'known connection' })
    if (hasLeftItsDevice(flight, hook)) {
      removeFromHost(flight, tracked)
      return byKernel('nat-failed', hook)
    }
  }
  translatePacket(flight, tracked, hook)
  return rerouteTranslated(flight, hook)
}

/** Source: nf_nat_core.c nf_nat_oif_changed(): a masqueraded connection must leave by the device whose address it has. */
function hasLeftItsDevice(flight: Flight, hook: Hook): boolean {
  const { tracked } = flight
  return hook === 'POSTROUTING' && flight.direction === 0 && tracked?.masqueradeDevice !== undefined && tracked.masqueradeDevice !== flight.outDevice
}

/** Kernel: nat OUTPUT reroutes every packet whose destination its connection translates. Source: nf_nat_proto.c nf_nat_ipv4_local_fn(). */
function rerouteTranslated(flight: Flight, hook: Hook): Ended | undefined {
  const { tracked } = flight
  if (hook !== 'OUTPUT' || !tracked) return undefined
  const [there, back] = flight.direction === 0 ? [tracked.original, tracked.reply] : [tracked.reply, tracked.original]
  return there.dst !== back.src && !reroute(flight) ? byKernel('no-output-route', hook) : undefined
}
