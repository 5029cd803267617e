/** The five hooks and five tables: which exist where, and in which order the kernel runs them. */

/** The five hooks, in the order in which a table's built-in chains are saved. */
export const HOOKS = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] as const

/** A netfilter hook; a built-in chain has the name of its hook. */
export type Hook = (typeof HOOKS)[number]

/** The five tables. */
export const TABLES = ['raw', 'mangle', 'nat', 'filter', 'security'] as const

/** A table's name. */
export type TableName = (typeof TABLES)[number]

/** Which program loads the rules: iptables-legacy (ip_tables) or iptables-nft (nf_tables). */
export type Backend = 'legacy' | 'nft'

/** The built-in chains of each table. Source: net/ipv4/netfilter/iptable_*.c *_VALID_HOOKS; nat has INPUT since 2.6.36. */
export const TABLE_HOOKS: Readonly<Record<TableName, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
}

/** What the kernel runs at a hook: the tables, and conntrack between raw and mangle where a packet enters the host. */
export type HookStep = TableName | 'conntrack'

/**
 * The steps of each hook by netfilter priority: raw -300, conntrack -200, mangle -150, nat destination -100, filter 0, security 50,
 * nat source 100. Kernel: iptables-nft registers security at 150, so nat INPUT comes before it there.
 * Source: include/uapi/linux/netfilter_ipv4.h enum nf_ip_hook_priorities; iptables/nft.c xtables_ipv4[].
 */
export const HOOK_STEPS: Readonly<Record<Backend, Readonly<Record<Hook, readonly HookStep[]>>>> = {
  legacy: {
    PREROUTING: ['raw', 'conntrack', 'mangle', 'nat'],
    INPUT: ['mangle', 'filter', 'security', 'nat'],
    FORWARD: ['mangle', 'filter', 'security'],
    OUTPUT: ['raw', 'conntrack', 'mangle', 'nat', 'filter', 'security'],
    POSTROUTING: ['mangle', 'nat'],
  },
  nft: {
    PREROUTING: ['raw', 'conntrack', 'mangle', 'nat'],
    INPUT: ['mangle', 'filter', 'nat', 'security'],
    FORWARD: ['mangle', 'filter', 'security'],
    OUTPUT: ['raw', 'conntrack', 'mangle', 'nat', 'filter', 'security'],
    POSTROUTING: ['mangle', 'nat'],
  },
}

/** Tells whether a text names a table. */
export function isTableName(name: string): name is TableName {
  return TABLES.some(table => table === name)
}

/** Tells whether a table has a built-in chain of this name. */
export function isBuiltInChain(table: TableName, name: string): name is Hook {
  return TABLE_HOOKS[table].some(hook => hook === name)
}
