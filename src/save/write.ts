/** The IR -> what iptables-save prints after loading it, without its two comment lines. Source: iptables/iptables-save.c; libiptc/libiptc.c. */

import type { Backend, TableName } from '../ir/hooks.ts'
import type { Chain, Ruleset, Table } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { writeCounters } from './counters.ts'
import { writeRule } from './write-rule.ts'

/** How to write. `counters` is `iptables-save -c`: those of the rules too (those of the chains are always printed); `tableOrder` 'kernel' is the order in which the backend's save prints the tables. */
export interface WriteOptions {
  readonly backend?: Backend
  readonly counters?: boolean
  readonly tableOrder?: 'kernel' | 'file'
}

/** Returns the canonical text of a ruleset. Built-in chains come first, then user chains by name, then the rules. */
export function writeRuleset(ruleset: Ruleset, options: WriteOptions = {}): string {
  const tables = options.tableOrder === 'file' ? ruleset.tables : kernelOrder(ruleset.tables, options.backend ?? 'legacy')
  return tables.map(table => writeTable(table, ruleset.family, options)).join('')
}

/** Kernel: ip_tables lists the table loaded last first; iptables-nft-save has a fixed order. */
function kernelOrder(tables: readonly Table[], backend: Backend): readonly Table[] {
  if (backend === 'legacy') return tables.toReversed()
  return tables.filter(isTouched).toSorted((a, b) => NFT_ORDER.indexOf(a.name) - NFT_ORDER.indexOf(b.name))
}

/** Source: iptables/nft.h enum nft_table_type. */
const NFT_ORDER: readonly TableName[] = ['mangle', 'security', 'raw', 'filter', 'nat']

/** Kernel: iptables-nft makes a table only when it needs one of its chains. */
function isTouched(table: Table): boolean {
  return table.chains.some(chain => chain.span !== undefined || chain.rules.length > 0)
}

function writeTable(table: Table, family: Family, { backend = 'legacy', counters: withCounters = false }: WriteOptions): string {
  const chains = [...table.chains.filter(chain => chain.hook !== undefined), ...table.chains.filter(chain => chain.hook === undefined).toSorted(byName)]
  const lines = [`*${table.name}`, ...chains.map(chain => writeChain(chain))]
  for (const chain of chains) {
    const start = `-A ${chain.name}`
    for (const rule of chain.rules) {
      const words = writeRule(rule, family, backend)
      const line = words === '' ? start : `${start} ${words}`
      lines.push(withCounters ? `${writeCounters(rule.counters)} ${line}` : line)
    }
  }
  lines.push('COMMIT', '')
  return lines.join('\n')
}

function writeChain(chain: Chain): string {
  return `:${chain.name} ${chain.policy} ${writeCounters(chain.hook === undefined ? undefined : chain.counters)}`
}

/** By bytes, as strcmp(3) does. */
function byName(a: Chain, b: Chain): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
