/** What a target does to sets of packets. The mirror of the simulator's apply-effects.ts. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { Hook } from '../ir/hooks.ts'
import { CT_STATE } from '../meaning/fields.ts'
import type { Effect } from '../meaning/effect.ts'
import type { NumberField } from '../meaning/fields.ts'
import { isUntracked, withState } from './conntrack-sets.ts'
import type { EffectResult } from './effect-result.ts'
import { setUpNat } from './nat-classes.ts'
import type { PacketClass } from './packet-class.ts'
import type { Rewriting } from './rewriting.ts'
import type { Run } from './run.ts'
import { adjustValue, constantValue, maskValue, shiftValue, xorValues } from './value.ts'
import type { Value } from './value.ts'

type Assign = Extract<Effect, { kind: 'assign' }>

/** Applies the effects in order. */
export function applyEffects(run: Run, hook: Hook, effects: readonly Effect[], packets: PacketClass): readonly EffectResult[] {
  let { rewriting } = packets
  const { set } = packets
  for (const effect of effects) {
    switch (effect.kind) {
      case 'verdict':
        return [{ kind: effect.verdict, packets: { rewriting, set } }]
      case 'reject':
        return [{ kind: 'reject', packets: { rewriting, set } }]
      case 'nat':
        return setUpNat(run, hook, effect, { rewriting, set })
      default:
        rewriting = applyEffect(run, effect, rewriting)
    }
  }
  return [{ kind: 'continue', packets: { rewriting, set } }]
}

function applyEffect(run: Run, effect: Exclude<Effect, { kind: 'verdict' | 'reject' | 'nat' }>, rewriting: Rewriting): Rewriting {
  const { rewritings, notes } = run
  switch (effect.kind) {
    case 'observe':
      return rewriting
    case 'notModelled':
      notes.add(effect.words)
      return rewriting
    case 'assign':
      return assign(run, effect, rewriting)
    case 'adjust':
      return rewritings.with(rewriting, { values: new Map([['ip.ttl', adjustValue(rewritings.valueOf(rewriting, 'ip.ttl'), effect.by)]]) })
    case 'untrack':
      return isTrackingFixed(run, rewriting) ? rewriting : withState(run, rewriting, CT_STATE.UNTRACKED, 'none')
    case 'track':
      return isTrackingFixed(run, rewriting) ? rewriting : rewritings.with(rewriting, { hasTemplate: true })
    case 'clampMss':
    case 'stripOptions':
      notes.add('changes of TCP options: what later rules say of options, MSS or length is asked of the packet as it was')
      return rewriting
    case 'translatePrefix':
      notes.add('the translation of IPv6 prefixes (NPT): what follows is asked of the packet as it was')
      return rewriting
    case 'ipset':
      notes.add(`the change to ipset ${effect.name}: it is asked as it was at first`)
      return rewriting
    default:
      return assertNever(effect)
  }
}

function isTrackingFixed(run: Run, rewriting: Rewriting): boolean {
  return rewriting.connection !== 'none' || rewriting.hasTemplate || isUntracked(run, rewriting)
}

/** Kernel: without a connection CONNMARK does nothing at all, in either direction. */
function assign(run: Run, effect: Assign, rewriting: Rewriting): Rewriting {
  const { rewritings } = run
  const { field, from } = effect
  if ((field === 'ct.mark' || from?.field === 'ct.mark') && rewriting.connection === 'none') return rewriting
  if (field === 'priority') return rewriting
  const taken = from && from.field !== 'priority' ? rewritings.valueOf(rewriting, from.field) : undefined
  const value = assignedValue(effect, rewritings.valueOf(rewriting, field), taken)
  return rewritings.with(rewriting, { values: new Map<NumberField, Value>([[field, value]]) })
}

/** The mirror of meaning/effect.ts assignedValue(). */
function assignedValue({ clear, flip, from, shift = 0 }: Assign, value: Value, taken: Value | undefined): Value {
  const kept = maskValue(value, BigInt(~clear >>> 0))
  if (from) return xorValues(kept, shiftValue(maskValue(taken ?? constantValue(value.width, 0), BigInt(from.mask >>> 0)), shift))
  return shiftValue(xorValues(kept, constantValue(value.width, flip >>> 0)), shift)
}
