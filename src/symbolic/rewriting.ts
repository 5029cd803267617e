/** What became of a packet's fields and place so far: each field that is no longer as it was at first, and what it is now. */

import type { FieldValue, NumberField } from '../meaning/fields.ts'
import { fieldRow } from '../meaning/fields.ts'
import type { Address, Family } from '../net/address.ts'
import type { DrawnWay } from './drawn-way.ts'
import { keyOfQuestion } from './frame-ways.ts'
import type { NeighbourQuestion } from './frame-ways.ts'
import { constantValue, keyOfValue, originalValue } from './value.ts'
import type { Value } from './value.ts'

/** Devices that a packet is bound to for all packets of a class alike; a device that is not here is the packet's own (a free field). */
export type BoundDevices = Readonly<Partial<Record<'device.in' | 'device.out' | 'bridge.in' | 'bridge.out', string>>>

/** What is no longer as it was. Equal rewritings are one object: compare with `===`. */
export interface Rewriting {
  readonly key: string
  readonly values: ReadonlyMap<NumberField, Value>
  readonly devices: BoundDevices
  /**
   * Whether the packets belong to a connection: one that they begin (`new`), one that they began when they were here before (`again`) or one
   * that is known; of `none` nothing holds of the connection's fields.
   */
  readonly connection: 'none' | 'new' | 'again' | 'known'
  /** A rule told conntrack beforehand how to track the packet. */
  readonly hasTemplate: boolean
  /** Which sides of its connection have had their turn of nat. */
  readonly natDone: { readonly source: boolean; readonly destination: boolean }
  /** The device of a route that was looked up anew in OUTPUT: rules see it from POSTROUTING on. */
  readonly nextDevice: string | DrawnWay | undefined
  /** The way out where it is not the first one, but drawn. */
  readonly drawnWay: DrawnWay | undefined
  /** The router that the route leads to, in linked surroundings. */
  readonly gateway: Address | undefined
  /** The connections that the packets began where they were before, in order. */
  readonly visits: readonly Visit[]
  /** The neighbours that were asked for on the way. */
  readonly asked: readonly NeighbourQuestion[]
  /** Of packets of a known connection. */
  readonly translation: Translation
}

/** What a namespace knows of a connection whose first packet went through it. */
export interface Visit {
  readonly namespace: string
  /** What the packet's addresses and ports were when it came, and when it left. */
  readonly original: TupleValues
  readonly translated: TupleValues
  /** Bits of `CT_STATUS`. */
  readonly status: number
  readonly mark: Value
}

/** The addresses and ports of a packet. */
export type TupleValues = Readonly<Record<TupleHeader, Value>>

/** A field by which a connection is found; beside these there is its protocol. */
export type TupleHeader = (typeof TUPLE_HEADERS)[number]

/** The headers that a tuple is made of. */
export const TUPLE_HEADERS = ['ip.src', 'ip.dst', 'l4.sport', 'l4.dport'] as const

/** The fields that a known connection's nat rewrites, and to what. */
export type Translation = ReadonlyMap<NumberField, Value>

/** Makes rewritings of one family. */
export interface Rewritings {
  readonly family: Family
  /** As the packet was at first, without a connection. */
  readonly none: Rewriting
  /** Returns packets as they come into another host: only these parts are set. */
  readonly arriving: (parts: Pick<Rewriting, 'values' | 'devices' | 'visits' | 'asked'>) => Rewriting
  /** Returns a rewriting with some parts replaced. */
  readonly with: (rewriting: Rewriting, change: RewritingChange) => Rewriting
  /** Returns what a field holds. */
  readonly valueOf: (rewriting: Rewriting, field: NumberField) => Value
  /** Returns a constant of a field's width. */
  readonly constant: (field: NumberField, value: FieldValue) => Value
}

/** What may be replaced. */
export interface RewritingChange {
  readonly values?: ReadonlyMap<NumberField, Value>
  /** undefined frees a device. */
  readonly devices?: Readonly<Partial<Record<keyof BoundDevices, string | undefined>>>
  readonly connection?: Rewriting['connection']
  readonly hasTemplate?: boolean
  readonly natDone?: Partial<Rewriting['natDone']>
  readonly nextDevice?: string | DrawnWay | undefined
  readonly drawnWay?: DrawnWay | undefined
  readonly gateway?: Address | undefined
  readonly asked?: readonly NeighbourQuestion[]
  readonly translation?: Translation
}

/** Returns a maker of rewritings: it keeps all that it made, so that equal ones are one object. */
export function makeRewritings(family: Family): Rewritings {
  const known = new Map<string, Rewriting>()
  const intern = (parts: Omit<Rewriting, 'key'>): Rewriting => {
    const key = keyOf(parts)
    const found = known.get(key)
    if (found) return found
    const made = { ...parts, key }
    known.set(key, made)
    return made
  }
  const widthOf = (field: NumberField): number => widthOfField(field, family)
  const untouched: Omit<Rewriting, 'key'> = { values: new Map(), devices: {}, connection: 'none', hasTemplate: false, natDone: { source: false, destination: false }, nextDevice: undefined, drawnWay: undefined, gateway: undefined, visits: [], asked: [], translation: new Map() }
  return {
    family,
    none: intern(untouched),
    arriving: ({ values, devices, visits, asked }) => intern({ ...untouched, values: withoutOriginals(new Map(values), family), devices, visits, asked }),
    with(rewriting, change) {
      const { values, devices, connection, hasTemplate, natDone } = change
      return intern({
        values: values ? withoutOriginals(new Map([...rewriting.values, ...values]), family) : rewriting.values,
        devices: devices ? withoutFreed({ ...rewriting.devices, ...devices }) : rewriting.devices,
        connection: connection ?? rewriting.connection,
        hasTemplate: hasTemplate ?? rewriting.hasTemplate,
        natDone: natDone ? { ...rewriting.natDone, ...natDone } : rewriting.natDone,
        nextDevice: 'nextDevice' in change ? change.nextDevice : rewriting.nextDevice,
        drawnWay: 'drawnWay' in change ? change.drawnWay : rewriting.drawnWay,
        gateway: 'gateway' in change ? change.gateway : rewriting.gateway,
        visits: rewriting.visits,
        asked: change.asked ?? rewriting.asked,
        translation: change.translation ?? rewriting.translation,
      })
    },
    valueOf: (rewriting, field) => rewriting.values.get(field) ?? originalValue(field, widthOf(field)),
    constant: (field, value) => constantValue(widthOf(field), value),
  }
}

/** Returns the width of a number field in bits. */
export function widthOfField(field: NumberField, family: Family): number {
  const { width } = fieldRow(field)
  return width === 'address' ? (family === 'ipv4' ? 32 : 128) : width
}

/** A field that is again what it was at first is not rewritten. */
function withoutOriginals(values: Map<NumberField, Value>, family: Family): ReadonlyMap<NumberField, Value> {
  for (const [field, value] of values) if (keyOfValue(value) === keyOfValue(originalValue(field, widthOfField(field, family)))) values.delete(field)
  return values
}

function withoutFreed(devices: NonNullable<RewritingChange['devices']>): BoundDevices {
  const bound: Partial<Record<keyof BoundDevices, string>> = {}
  for (const field of DEVICES) {
    const device = devices[field]
    if (device !== undefined) bound[field] = device
  }
  return bound
}

const DEVICES = ['device.in', 'device.out', 'bridge.in', 'bridge.out'] as const

function keyOf({ values, devices, connection, hasTemplate, natDone, nextDevice, drawnWay, gateway, visits, asked, translation }: Omit<Rewriting, 'key'>): string {
  const fields = textsOf(values)
  const places = Object.entries(devices).map(([field, device]) => `${field}=${device}`).sort()
  return [...fields, ...places, connection === 'none' ? '' : connection, hasTemplate ? 'template' : '', natDone.source ? 'snat' : '', natDone.destination ? 'dnat' : '', nextDevice === undefined ? '' : `next=${typeof nextDevice === 'string' ? nextDevice : `way of ${nextDevice.to}`}`, drawnWay === undefined ? '' : `way of ${drawnWay.to}`, gateway === undefined ? '' : `via=${gateway}`, ...visits.map(keyOfVisit), ...asked.map(question => `asked ${keyOfQuestion(question)}`), ...textsOf(translation).map(text => `to ${text}`)].filter(part => part !== '').join(' ')
}

function keyOfVisit({ namespace, original, translated, status, mark }: Visit): string {
  return `${namespace}:(${keyOfTuple(original)} > ${keyOfTuple(translated)} ${status} ${keyOfValue(mark)})`
}

/** Returns a text that is equal for equal values only. */
export function keyOfTuple(tuple: TupleValues): string {
  return TUPLE_HEADERS.map(field => keyOfValue(tuple[field])).join(' ')
}

function textsOf(values: ReadonlyMap<NumberField, Value>): readonly string[] {
  return [...values].map(([field, value]) => `${field}=${keyOfValue(value)}`).sort()
}
