/** Long lists of rules that differ in one address -> one rule and an ipset. */

import type { Chain, MatchUse, Rule } from '../../ir/ruleset.ts'
import { addressWidth, coverRange, lengthOfMask, writePrefix } from '../../net/address.ts'
import type { Family, Prefix } from '../../net/address.ts'
import type { Ipset } from '../../topology/topology.ts'
import type { ProofSpace } from './behaviour.ts'
import { commentsOf, joinTexts, withComments } from './comments.ts'
import type { DraftRule } from './draft.ts'
import { ADDRESS_JOINTS, addressFrom, joinSpans } from './joints.ts'
import type { AddressJoint } from './joints.ts'
import { joinDrafts, jointGroups, replaceRules } from './merge.ts'
import type { JointGroup, Workshop } from './merge.ts'

/** An ipset that rules of the result need. */
export interface NewIpset {
  readonly set: Ipset
  /** What the rules said of an entry in their comments, in the order of the entries; '' for nothing. */
  readonly comments: readonly string[]
}

/** What making ipsets shares over a ruleset. `threshold`: fewer rules stay rules. */
export interface IpsetShop extends Workshop {
  readonly threshold: number
  /** Names that are in use already. */
  readonly taken: Set<string>
  /** Grows; the space of the proofs knows what is in them. */
  readonly made: NewIpset[]
}

/** Returns a chain's rules with long lists of addresses put into ipsets. */
export function makeIpsets(space: ProofSpace, chain: Chain, rules: readonly DraftRule[], shop: IpsetShop): readonly DraftRule[] {
  return ADDRESS_JOINTS.reduce((list, joint) => {
    const replaced = new Map<number, DraftRule | undefined>()
    for (const group of jointGroups(space, chain, list, joint, shop)) {
      if (group.members.length < shop.threshold) continue
      const made = makeOne(space, chain, list, joint, group, shop)
      if (made) group.members.forEach(({ index }, place) => replaced.set(index, place === 0 ? made : undefined))
    }
    return replaceRules(list, replaced)
  }, rules)
}

function makeOne(space: ProofSpace, chain: Chain, rules: readonly DraftRule[], joint: AddressJoint, { members }: JointGroup, shop: IpsetShop): DraftRule | undefined {
  const { family } = space
  const prefixes = joinSpans(members.flatMap(({ part }) => part.values)).flatMap(({ low, high }) => coverRange(addressFrom(low, family), addressFrom(high, family)))
  const drafts = members.flatMap(({ index }) => rules[index] ?? [])
  const [first] = members
  // Kernel: an entry of length 0 is refused.
  if (!first || prefixes.some(({ mask }) => lengthOfMask(mask) === 0)) return undefined
  const { ipset, isNew } = ipsetFor(chain, joint, prefixes, drafts.map(({ rule }) => rule), family, shop)
  if (isNew) shop.made.push(ipset)
  const use: MatchUse = { name: 'set', infos: { 'match-set': { value: { name: ipset.set.name, directions: [joint.option === 'source' ? 'src' : 'dst'] }, inverted: false } } }
  const at = first.part.others[0]?.name === 'ip' ? 1 : 0
  const comments = commentsOf(drafts.map(({ rule }) => rule))
  const draft = joinDrafts(space, drafts, withComments(first.part.others.toSpliced(at, 0, use), comments.length === 1 ? comments : []), joint.words, shop)
  if (draft === undefined && isNew) shop.made.pop()
  return draft
}

/** Returns an ipset with just these prefixes: one that was made before, where there is one. */
function ipsetFor(chain: Chain, joint: AddressJoint, prefixes: readonly Prefix[], rules: readonly Rule[], family: Family, { made, taken }: IpsetShop): { readonly ipset: NewIpset; readonly isNew: boolean } {
  const entries = prefixes.map(prefix => ({ text: writePrefix(prefix), nomatch: false }))
  const known = made.find(({ set }) => set.entries.length === entries.length && set.entries.every(({ text }, index) => text === entries[index]?.text))
  if (known) return { ipset: known, isNew: false }
  const isHosts = prefixes.every(({ mask }) => lengthOfMask(mask) === addressWidth(family))
  const name = freeName(chain.name, joint.option === 'source' ? 'src' : 'dst', family, taken)
  const set: Ipset = { name, type: isHosts ? 'hash:ip' : 'hash:net', family: family === 'ipv4' ? 'inet' : 'inet6', entries }
  return { ipset: { set, comments: commentsOfEntries(joint, prefixes, rules) }, isNew: true }
}

/** Characters of an ipset's name. Source: include/uapi/linux/netfilter/ipset/ip_set.h IPSET_MAXNAMELEN. */
const NAME_LIMIT = 31

function freeName(chain: string, direction: string, family: Family, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const tail = `-${direction}${family === 'ipv6' ? '6' : ''}-${number}`
    const name = `${chain.replace(/[^\w.-]/g, '_').slice(0, NAME_LIMIT - tail.length)}${tail}`
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

/** A rule's comment goes to the entry in which its addresses begin; what all rules say stays with the rule. Entries are in order. */
function commentsOfEntries(joint: AddressJoint, prefixes: readonly Prefix[], rules: readonly Rule[]): readonly string[] {
  if (commentsOf(rules).length < 2) return []
  const starts = rules.map(rule => ({ rule, low: joint.partOf(rule)?.values[0]?.low ?? 0n })).sort((one, other) => (one.low < other.low ? -1 : one.low > other.low ? 1 : 0))
  let at = 0
  return prefixes.map((_, index) => {
    const next = prefixes[index + 1]
    const from = at
    while (at < starts.length && (!next || (starts[at]?.low ?? 0n) < BigInt(next.address))) at++
    return joinTexts(commentsOf(starts.slice(from, at).map(({ rule }) => rule)))
  })
}

/** Returns the text that `ipset restore` takes. */
export function writeIpsets(ipsets: readonly NewIpset[]): string {
  return ipsets.map(({ set: { name, type, family, entries }, comments }) => {
    const hasComments = comments.some(text => text !== '')
    const head = `create ${name} ${type} family ${family} hashsize ${hashSize(entries.length)} maxelem ${Math.max(65536, entries.length)}${hasComments ? ' comment' : ''}`
    return [head, ...entries.map(({ text }, index) => `add ${name} ${text}${comments[index] ? ` comment "${comments[index].replaceAll('"', "'")}"` : ''}`), ''].join('\n')
  }).join('')
}

/** A power of two with room for all. */
function hashSize(entries: number): number {
  return 2 ** Math.max(6, Math.ceil(Math.log2(entries + 1)))
}
