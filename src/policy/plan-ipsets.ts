/** From the ipsets that are loaded to those of a policy: the smallest text for `ipset restore`. */

import { readPrefix, writePrefix } from '../net/address.ts'
import { PREFIX } from './compiled.ts'
import type { CompiledIpset } from './compiled.ts'
import { writeIpsets } from './write-restore.ts'

/** How to get from the live ipsets to those of a policy. */
export interface IpsetPlan {
  /** Empty where nothing is to be done. */
  readonly text: string
  readonly changes: number
  /** Sets of an earlier policy: they can go once no rule asks them. */
  readonly obsolete: readonly string[]
}

/** Plans the ipsets of a policy; `saved` is what `ipset save` prints. Sets that are not the policy's own stay. */
export function planIpsets(ipsets: readonly CompiledIpset[], saved: string): IpsetPlan {
  const live = readSaved(saved)
  const texts = ipsets.map(ipset => planSet(ipset, live.get(ipset.name)))
  const lines = texts.join('').split('\n').filter(line => line !== '' && !line.startsWith('#'))
  const obsolete = [...live.keys()].filter(name => name.startsWith(PREFIX) && !ipsets.some(ipset => ipset.name === name))
  return { text: texts.join(''), changes: lines.length, obsolete }
}

/** A live set: its type with all options, and its elements as `writePrefix` has them. */
interface LiveSet {
  readonly kind: string
  readonly elements: ReadonlySet<string>
}

function readSaved(saved: string): ReadonlyMap<string, LiveSet> {
  const found = new Map<string, { readonly kind: string; readonly elements: Set<string> }>()
  for (const line of saved.split('\n')) {
    const [command, name = '', element = '', ...options] = line.trim().split(/\s+/)
    if (command === 'create') found.set(name, { kind: [element, ...options].join(' '), elements: new Set() })
    const prefix = command === 'add' ? readPrefix(element) : undefined
    if (command === 'add') found.get(name)?.elements.add([prefix ? writePrefix(prefix) : element, ...options].join(' '))
  }
  return found
}

/** Single elements are changed where that is less than to fill the set anew, and where the live set has the same type and room. */
function planSet(ipset: CompiledIpset, live: LiveSet | undefined): string {
  const wanted = new Set(ipset.prefixes.map(writePrefix))
  const room = Number(/ maxelem (\d+)/.exec(live?.kind ?? '')?.[1] ?? 65536)
  const isAlike = live?.kind.startsWith(`hash:net family ${ipset.family === 'ipv4' ? 'inet' : 'inet6'} `) === true && room >= wanted.size
  if (!isAlike) return writeIpsets([ipset])
  const gone = [...live.elements].filter(element => !wanted.has(element))
  const added = [...wanted].filter(element => !live.elements.has(element))
  if (gone.length + added.length > wanted.size + 4) return writeIpsets([ipset])
  return [...gone.map(element => `del ${ipset.name} ${element.split(' ')[0] ?? ''}\n`), ...added.map(element => `add ${ipset.name} ${element}\n`)].join('')
}
