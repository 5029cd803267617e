/** Which connections earlier sentences translate: a later sentence about the same ones does nothing, since the first rule of nat that matches counts. */

import { lengthOfMask, writePrefix } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import { prefixCovers } from './read-addresses.ts'
import type { End, Ends, Origin, PublishSentence, RedirectSentence, SourceNatSentence, Traffic } from './resolved.ts'
import { includesFirewall, zoneOf } from './sides.ts'

/** A sentence that translates addresses or ports. */
export type NatSentence = PublishSentence | SourceNatSentence | RedirectSentence

/** The translations of the sentences so far. */
export interface Translations {
  /** Remembers a sentence; where all that it speaks of is translated already it returns the first sentence that does so. */
  add(sentence: NatSentence): Origin | undefined
}

/** Connections: of a zone, of addresses, or of the firewall itself. What is absent counts as all. */
interface Source {
  readonly place?: string
  readonly prefix?: Prefix
}

/** Translations of one kind: those of single hosts, by place and address, and the others. */
interface Taken {
  readonly hosts: Map<string, Origin>
  readonly others: { readonly source: Source; readonly origin: Origin }[]
}

/** Returns no translations yet. */
export function startTranslations(): Translations {
  const known = new Map<string, Taken>()
  return {
    add(sentence) {
      const { origin, from } = sentence
      const parts = partsOf(sentence)
      const earlier = parts.map(({ kind, source }) => coveredBy(known.get(kind), source))
      // What is left out of a sentence another one may translate.
      if (from.excluded.length === 0) for (const { kind, source } of parts) remember(known, kind, source, origin)
      return earlier.every(one => one !== undefined) ? earlier[0] : undefined
    },
  }
}

interface Part {
  readonly kind: string
  readonly source: Source
}

/** Returns each kind of connection that a sentence speaks of, with where it comes from. */
function partsOf(sentence: NatSentence): readonly Part[] {
  if (sentence.kind === 'sourceNat') {
    const { families, from, out } = sentence
    return families.flatMap(family => sourcesOf(from, family, 'anywhere').flatMap(source => out.devices.map(({ name, prefix }) => ({ kind: `${family} ${name}${prefix ? '+' : ''}`, source }))))
  }
  const { traffic, from } = sentence
  const families = sentence.kind === 'publish' ? [sentence.family] : sentence.families
  const targets = sentence.kind === 'publish' ? sentence.on.map(writePrefix) : ['']
  return families.flatMap(family => {
    const isForOwn = sentence.kind === 'publish' ? includesFirewall(from) : from.included.some(({ place }) => place === 'fw')
    const kinds = targets.flatMap(target => servicesOf(traffic, family).map(service => `${family} ${target} ${service}`))
    return kinds.flatMap(kind => [...sourcesOf(outside(from), family, 'by zone').map(source => ({ kind, source })), ...(isForOwn ? [{ kind: `${kind} of fw`, source: FIREWALL }] : [])])
  })
}

const FIREWALL: Source = { place: 'fw' }

function outside({ included, excluded }: Ends): Ends {
  return { included: included.filter(({ place }) => place !== 'fw'), excluded }
}

function servicesOf(traffic: readonly Traffic[], family: Family): readonly string[] {
  return traffic.filter(one => one.families.includes(family)).flatMap(({ protocol, ports, messages }) => {
    const parts = ports?.map(({ low, high }) => `${low}-${high}`) ?? messages?.map(({ type, low, high }) => `${type}/${low}-${high}`) ?? ['']
    return parts.map(part => `${protocol}/${part}`)
  })
}

/** Behind the routes nobody knows where a packet came in: there the addresses of a zone tell. */
function sourcesOf({ included }: Ends, family: Family, places: 'by zone' | 'anywhere'): readonly Source[] {
  return included.flatMap((end: End): readonly Source[] => {
    if (end.place === 'fw' && !end.addresses) return [FIREWALL]
    const zone = zoneOf(end)
    const prefixes = (end.addresses ?? zone?.at)?.[family]
    const place = zone && places === 'by zone' ? { place: zone.name } : {}
    return prefixes ? prefixes.map(prefix => ({ ...place, prefix })) : [place]
  })
}

function coveredBy(taken: Taken | undefined, source: Source): Origin | undefined {
  return taken && (taken.hosts.get(keyOf(source)) ?? taken.others.find(other => covers(other.source, source))?.origin)
}

function covers(one: Source, other: Source): boolean {
  return (one.place === undefined || one.place === other.place) && (!one.prefix || (other.prefix !== undefined && prefixCovers(one.prefix, other.prefix)))
}

function remember(known: Map<string, Taken>, kind: string, source: Source, origin: Origin): void {
  const taken = known.get(kind) ?? { hosts: new Map<string, Origin>(), others: [] }
  known.set(kind, taken)
  const { prefix } = source
  const isHost = prefix !== undefined && lengthOfMask(prefix.mask) === (typeof prefix.address === 'number' ? 32 : 128)
  if (!isHost) taken.others.push({ source, origin })
  else if (!taken.hosts.has(keyOf(source))) taken.hosts.set(keyOf(source), origin)
}

function keyOf({ place, prefix }: Source): string {
  return `${place ?? ''} ${prefix ? writePrefix(prefix) : ''}`
}
