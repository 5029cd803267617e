/** Ends of a packet's way: names and addresses -> zones with addresses. */

import { KNOWN_SERVICES } from './known-services.ts'
import type { EndNode, EndsNode, WayNode } from './ast.ts'
import type { Complain } from './complain.ts'
import { complainUnknown } from './names.ts'
import type { Names } from './names.ts'
import { readAddresses, splitFamilies } from './read-addresses.ts'
import type { End, Ends, Prefixes } from './resolved.ts'
import { textOf } from '../diagnostics/source-file.ts'
import type { Span } from '../diagnostics/source-file.ts'

/** Returns the ends of `from` or `to`; everybody where the clause is absent, undefined where one is wrong. */
export function resolveWay(way: WayNode | undefined, otherwise: Span, names: Names, complain: Complain): Ends | undefined {
  if (way) return resolveEnds(way.ends, names, complain)
  const known = names.known.ends.get('') ?? { included: [{ place: 'any', span: otherwise }], excluded: NO_ENDS, isNamed: true }
  names.known.ends.set('', known)
  return known
}

const NO_ENDS: readonly End[] = []

/** Returns ends, undefined where one is wrong. The same names are the same ends. */
export function resolveEnds(node: EndsNode, names: Names, complain: Complain): Ends | undefined {
  if (!node.included.every(isNamed) || !node.excluded.every(isNamed)) return readEnds(node, names, complain)
  const text = textOf(node.span)
  const known = names.known.ends.get(text)
  if (known) return known
  const ends = readEnds(node, names, complain)
  const named = ends && { ...ends, isNamed: true as const }
  if (named) names.known.ends.set(text, named)
  return named
}

function isNamed({ what }: EndNode): boolean {
  return what.kind === 'word'
}

function readEnds(node: EndsNode, names: Names, complain: Complain): Ends | undefined {
  const only = node.included[0]
  if (only && node.included.length === 1 && node.excluded.length === 0) {
    const end = resolveEnd(only, names, complain)
    return end && { included: [end], excluded: NO_ENDS }
  }
  const included = node.included.map(end => resolveEnd(end, names, complain))
  const excluded = node.excluded.map(end => resolveEnd(end, names, complain))
  return included.every(end => end !== undefined) && excluded.every(end => end !== undefined) ? { included, excluded } : undefined
}

function resolveEnd({ what, where, span }: EndNode, names: Names, complain: Complain): End | undefined {
  const place = where === undefined ? undefined : where.text === 'fw' ? 'fw' : names.zones.get(where.text)
  if (where && place === undefined) {
    complainUnknown(where, 'zone', [...names.zones.keys(), 'fw'], complain)
    return undefined
  }
  const found = lookUp(what, names, complain)
  if (!found) return undefined
  if (place === undefined) return { place: found.place ?? 'any', span, ...(found.addresses ? { addresses: found.addresses } : {}), ...(found.list === undefined ? {} : { list: found.list }) }
  if (found.place === undefined || found.place === 'any') return { place, span, ...(found.addresses ? { addresses: found.addresses } : {}), ...(found.list === undefined ? {} : { list: found.list }) }
  complain('misplaced-clause', span, 'a zone cannot be in another', 'before `in` stand addresses or the name of a list of them')
  return undefined
}

interface Found {
  readonly place?: End['place']
  readonly addresses?: Prefixes
  readonly list?: string
}

function lookUp(what: EndNode['what'], names: Names, complain: Complain): Found | undefined {
  if (what.kind === 'address') {
    const prefixes = readAddresses(what, complain)
    return prefixes && { addresses: splitFamilies(prefixes) }
  }
  const { text } = what
  if (text === 'any' || text === 'fw') return { place: text }
  const zone = names.zones.get(text)
  if (zone) return { place: zone }
  const list = names.list(text)
  if (list?.kind === 'addresses') return { addresses: list.byFamily, list: text }
  if (list?.kind === 'services') complain('unknown-name', what.span, `\`${text}\` is a list of services`, 'services stand before `from` and `to`')
  else if (!list) complainUnknown(what, 'zone or list', [...names.definitions.keys(), 'fw', 'any'], complain, Object.hasOwn(KNOWN_SERVICES, text) ? 'services stand before `from` and `to`' : 'define it: `zone NAME = DEVICE` or `let NAME = ADDRESS, ...`')
  return undefined
}
