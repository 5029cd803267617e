/** Parts of a topology -> the words of `ip` and `ipset` commands that make them. */

import { lengthOfMask, writeAddress, writePrefix } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import type { Ipset, Route, RouteRule } from './topology.ts'

/** Returns what `ip route add` takes for a route. */
export function routeWords(route: Route): string {
  const isPlain = route.kind === 'unicast'
  return [
    isPlain ? '' : route.kind, prefixWords(route.prefix),
    route.gateway === undefined ? '' : `via ${writeAddress(route.gateway)}`,
    route.device === undefined ? '' : `dev ${route.device}`,
    `table ${route.table}`,
    route.metric === 0 ? '' : `metric ${route.metric}`,
    route.source === undefined ? '' : `src ${writeAddress(route.source)}`,
    route.tos === undefined ? '' : `tos ${route.tos}`,
    route.realm === undefined ? '' : `realm ${route.realm}`,
    route.gateway === undefined ? '' : 'onlink',
  ].filter(word => word !== '').join(' ')
}

/** Returns what `ip rule add` takes for a routing rule. */
export function routeRuleWords(rule: RouteRule): string {
  return [
    rule.inverted ? 'not' : '',
    rule.from ? `from ${prefixWords(rule.from)}` : '',
    rule.to ? `to ${prefixWords(rule.to)}` : '',
    rule.mark ? `fwmark ${rule.mark.value}/${rule.mark.mask}` : '',
    rule.inDevice === undefined ? '' : `iif ${rule.inDevice}`,
    rule.outDevice === undefined ? '' : `oif ${rule.outDevice}`,
    rule.tos === undefined ? '' : `tos ${rule.tos}`,
    rule.action === 'lookup' ? `lookup ${rule.table}` : rule.action,
    `priority ${rule.priority}`,
  ].filter(word => word !== '').join(' ')
}

/** Returns what `ipset restore` takes for sets; one that refers to others stands after them. */
export function ipsetLines(sets: readonly Ipset[]): string {
  const ordered = [...sets.filter(set => set.type !== 'list:set'), ...sets.filter(set => set.type === 'list:set')]
  return ordered.flatMap(set => [`create ${set.name} ${set.type}${createOptions(set)}`, ...set.entries.map(entry => `add ${set.name} ${entry.text}${entry.nomatch ? ' nomatch' : ''}`)]).map(line => `${line}\n`).join('')
}

/** Bitmaps have a range; that of addresses is the one that holds the entries. */
function createOptions({ type, family, entries }: Ipset): string {
  if (type.startsWith('hash:') && type !== 'hash:mac') return ` family ${family}`
  if (type === 'bitmap:port') return ' range 0-65535'
  if (!type.startsWith('bitmap:')) return ''
  return ` range ${(entries[0]?.text ?? '10.0.0.0').split('.').slice(0, 2).join('.')}.0.0/16`
}

function prefixWords(prefix: Prefix): string {
  const isAll = lengthOfMask(prefix.mask) === 0
  return isAll ? (typeof prefix.address === 'number' ? '0.0.0.0/0' : '::/0') : writePrefix(prefix)
}
