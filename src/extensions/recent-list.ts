/** The lists of the match recent: who visited when. Source: net/netfilter/xt_recent.c recent_mt(). */

/** An address on a list. */
interface Entry {
  ttl: number
  /** Milliseconds, the latest last. */
  visits: number[]
}

/** A list; the entry used last stands last. */
export interface RecentList {
  readonly entries: Map<string, Entry>
}

/** What a rule asks of its list for one packet. */
export interface Visit {
  readonly command: 'set' | 'rcheck' | 'update' | 'remove'
  /** The masked address with its family. */
  readonly address: string
  readonly ttl: number
  readonly checksTtl: boolean
  /** Milliseconds; undefined: visits of any age count. */
  readonly within: number | undefined
  readonly reaps: boolean
  readonly hitCount: number
  readonly inverted: boolean
  readonly now: number
}

/** As many as the kernel remembers: entries of a list (ip_list_tot), and visits of an entry at the most. */
const ENTRIES = 100
const VISITS = 65536

/** Returns whether the rule matches, and changes the list as the kernel does. Kernel: `! --update` counts as a visit where it matches. */
export function visitList(list: RecentList, visit: Visit): boolean {
  const known = list.entries.get(visit.address)
  const entry = known && (!visit.checksTtl || known.ttl === visit.ttl) ? known : undefined
  if (!entry) {
    if (visit.command === 'set') enter(list, visit)
    return (visit.command === 'set') !== visit.inverted
  }
  const matches = holds(entry, visit) !== visit.inverted
  const isUpdated = visit.command === 'set' || (visit.command === 'update' && matches)
  if (visit.command === 'remove') list.entries.delete(visit.address)
  if (visit.reaps) reap(list, visit, isUpdated)
  if (isUpdated) touch(list, entry, visit)
  return matches
}

function holds(entry: Entry, { command, within, hitCount, now }: Visit): boolean {
  if (command === 'set' || command === 'remove') return true
  const hits = within === undefined ? entry.visits.length : entry.visits.filter(time => time >= now - within).length
  return hits >= Math.max(hitCount, 1)
}

function enter({ entries }: RecentList, { address, ttl, now }: Visit): void {
  const [oldest] = entries.keys()
  if (entries.size >= ENTRIES && oldest !== undefined) entries.delete(oldest)
  entries.set(address, { ttl, visits: [now] })
}

function touch({ entries }: RecentList, entry: Entry, { address, ttl, now }: Visit): void {
  entry.visits.push(now)
  if (entry.visits.length > VISITS) entry.visits.shift()
  entry.ttl = ttl
  entries.delete(address)
  entries.set(address, entry)
}

/** Forgets the entry not used for longest, where it is too old. */
function reap({ entries }: RecentList, { address, within = 0, now }: Visit, isUpdated: boolean): void {
  for (const [oldest, entry] of entries) {
    if (!(oldest === address && isUpdated) && (entry.visits.at(-1) ?? now) < now - within) entries.delete(oldest)
    return
  }
}
