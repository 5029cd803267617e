/** Reads a predicate about a packet as it is now as a predicate about the packet as it was at first. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import { ADDRESS_TYPE } from '../meaning/fields.ts'
import type { DeviceField, NumberField } from '../meaning/fields.ts'
import { all, always, any, never, not, opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { writeAddress } from '../net/address.ts'
import { deviceMatches } from '../net/device-name.ts'
import { leavesBy } from './drawn-way.ts'
import { widthOfField } from './rewriting.ts'
import type { Rewriting } from './rewriting.ts'
import { constantOf, keyOfValue, originalValue, valueMasked, valueWithin } from './value.ts'
import type { Value } from './value.ts'

const memory = new WeakMap<Rewriting, WeakMap<Predicate, Predicate>>()

/** Returns the predicate over the fields as they were at first; the same object where nothing that it asks for was rewritten. */
export function readThrough(predicate: Predicate, rewriting: Rewriting): Predicate {
  let known = memory.get(rewriting)
  if (!known) {
    known = new WeakMap()
    memory.set(rewriting, known)
  }
  const found = known.get(predicate)
  if (found) return found
  const read = translate(predicate, rewriting)
  known.set(predicate, read)
  return read
}

function translate(predicate: Predicate, rewriting: Rewriting): Predicate {
  switch (predicate.kind) {
    case 'always':
    case 'never':
      return predicate
    case 'within':
    case 'masked':
      return translateTerm(predicate, rewriting)
    case 'device':
      return translateDevice(predicate, rewriting)
    case 'ipset':
      return translateIpset(predicate, rewriting)
    case 'opaque':
      return predicate
    case 'not': {
      const inner = translate(predicate.of, rewriting)
      return inner === predicate.of ? predicate : not(inner)
    }
    case 'all':
    case 'any': {
      const parts = predicate.of.map(part => translate(part, rewriting))
      if (parts.every((part, index) => part === predicate.of[index])) return predicate
      return predicate.kind === 'all' ? all(parts) : any(parts)
    }
    default:
      return assertNever(predicate)
  }
}

type FieldTerm = Extract<Predicate, { kind: 'within' | 'masked' }>

const LOOKED_AT = { src: ['ip.src', 'l4.sport'], dst: ['ip.dst', 'l4.dport'] } as const

function translateTerm(term: FieldTerm, rewriting: Rewriting): Predicate {
  const { field } = term
  if (field.startsWith('ct.') && field !== 'ct.state' && rewriting.connection === 'none') return never
  if (SOCKET_FIELDS.has(field) && isForeign(rewriting)) return never
  const value = rewriting.values.get(field) ?? (rewriting.connection === 'new' || rewriting.connection === 'again' ? tupleValue(field, rewriting, term) : undefined)
  if (!value) return field.startsWith('addressType.') ? translateAddressType(term, rewriting) : term
  return term.kind === 'within' ? valueWithin(value, BigInt(term.low), BigInt(term.high)) : valueMasked(value, BigInt(term.mask), BigInt(term.value))
}

const SOCKET_FIELDS: ReadonlySet<NumberField> = new Set<NumberField>(['socket.uid', 'socket.gid'])

/** The packet's socket is on another host. */
function isForeign({ values }: Rewriting): boolean {
  const exists = values.get('socket.exists')
  return exists !== undefined && constantOf(exists) === 0n
}

/** The tuples of a connection that the packet begins: there as it was at first, back as it is now. */
const TUPLE_FIELDS: Partial<Record<NumberField, { readonly field: NumberField; readonly isNow: boolean }>> = {
  'ct.original.src': { field: 'ip.src', isNow: false }, 'ct.original.dst': { field: 'ip.dst', isNow: false }, 'ct.reply.src': { field: 'ip.dst', isNow: true }, 'ct.reply.dst': { field: 'ip.src', isNow: true },
  'ct.original.sport': { field: 'l4.sport', isNow: false }, 'ct.original.dport': { field: 'l4.dport', isNow: false }, 'ct.reply.sport': { field: 'l4.dport', isNow: true }, 'ct.reply.dport': { field: 'l4.sport', isNow: true },
  'ct.protocol': { field: 'ip.protocol', isNow: false },
}

function tupleValue(field: NumberField, rewriting: Rewriting, term: FieldTerm): Value | undefined {
  const tuple = TUPLE_FIELDS[field]
  if (!tuple) return undefined
  const width = widthOfField(field, typeof (term.kind === 'within' ? term.low : term.mask) === 'bigint' ? 'ipv6' : 'ipv4')
  return (tuple.isNow ? rewriting.values.get(tuple.field) : undefined) ?? originalValue(tuple.field, width)
}

function translateDevice(term: Extract<Predicate, { kind: 'device' }>, rewriting: Rewriting): Predicate {
  const field: DeviceField = term.field
  const device = rewriting.devices[field]
  if (device === undefined) return field === 'device.out' && rewriting.drawnWay ? leavesBy(rewriting.drawnWay, term.pattern) : term
  return deviceMatches(term.pattern, device) ? always : never
}

/**
 * What a new address is to the host is asked again: nat leads to single hosts, so either it is the host's own or not. Loopback
 * addresses are its own.
 */
function translateAddressType(term: FieldTerm, rewriting: Rewriting): Predicate {
  const field = term.field.startsWith('addressType.src') ? 'ip.src' : 'ip.dst'
  const value = rewriting.values.get(field)
  if (!value) return term
  const fits = (type: number): boolean => (term.kind === 'masked' ? (BigInt(type) & BigInt(term.mask)) === BigInt(term.value) : term.low <= type && type <= term.high)
  const [asOwn, asOther] = [fits(ADDRESS_TYPE.LOCAL), fits(ADDRESS_TYPE.UNICAST)]
  if (asOwn === asOther) return asOwn ? always : never
  const constant = constantOf(value)
  const address = constant === undefined ? undefined : writeAddress(value.width === 32 ? Number(constant) : constant)
  if (constant !== undefined && (value.width === 32 ? constant >> 24n === 127n : constant === 1n)) return asOwn ? always : never
  const own = opaque(ownAddressKey(term.field, value), `${address ?? 'the translated address'} is an address of this host`)
  return asOwn ? own : not(own)
}

/** Returns the key of the variable that tells whether a rewritten address is the host's own. */
export function ownAddressKey(field: NumberField, value: Value): string {
  return `${field} of ${keyOfValue(value)}`
}

/** What is looked up by an address or port that was rewritten is another free variable than what the old one would find. */
function translateIpset(predicate: Extract<Predicate, { kind: 'ipset' }>, rewriting: Rewriting): Predicate {
  const fields = predicate.directions.flatMap(direction => LOOKED_AT[direction])
  const changed = fields.flatMap(field => {
    const value = rewriting.values.get(field)
    return value ? [`${field} ${keyOfValue(value)}`] : []
  })
  if (changed.length === 0) return predicate
  const words = `ipset ${predicate.name} ${predicate.directions.join(',')}`
  return opaque(`${words} of ${changed.join(' ')}`, `${words} after translation`)
}
