/** Reads ipsets as `ipset save` prints and `ipset restore` takes them. */

import type { Ipset, IpsetEntry } from './topology.ts'

/** Reads `create NAME TYPE [family inet6]` and `add NAME ENTRY [nomatch]` lines; other lines and options are passed over. */
export function readIpsets(text: string): readonly Ipset[] {
  const sets = new Map<string, { type: string; family: 'inet' | 'inet6'; entries: IpsetEntry[] }>()
  for (const line of text.split('\n')) {
    const [command, name = '', third = '', ...rest] = line.trim().split(/\s+/)
    if (command === 'create') {
      sets.set(name, { type: third, family: rest.join(' ').includes('family inet6') ? 'inet6' : 'inet', entries: [] })
    } else if (command === 'add') {
      const entries = sets.get(name)?.entries
      const entry = { text: third, nomatch: rest.includes('nomatch') }
      if (entries && !entries.some(other => other.text === third)) entries.push(entry)
    }
  }
  return [...sets].map(([name, set]) => ({ name, ...set }))
}
