/** Texts that are no ruleset at all: what they are instead, and how to come by a ruleset. */

/** What a text is; `at` is the offset that shows it. */
export interface ForeignText {
  readonly at: number
  readonly message: string
  readonly help: string
}

/** A line that only iptables-restore's format has. */
const RESTORE_LINE = /^[ \t]*(?:\*|:|COMMIT\b|-[APNIDRFXZE][ \t]|\[\d+:)/m

/** Other texts that people have of a firewall, by a line that tells them. */
const KINDS: readonly { readonly line: RegExp; readonly message: string; readonly help: string }[] = [
  {
    line: /^[ \t]*(?:(?:add|create|insert)[ \t]+)?(?:table|chain|rule)[ \t]+(?:inet|ip6?|arp|bridge|netdev)[ \t]|^[ \t]*flush[ \t]+ruleset/m,
    message: "these are rules in nftables' own language, which 5x5 does not read",
    help: 'give what `iptables-save` prints: with iptables-nft these are the rules that iptables made, and not those that `nft` made',
  },
  {
    line: /^Chain \S+ \((?:policy|\d+ references)/m,
    message: 'this is what `iptables -L` prints, and that leaves out what rules ask for, such as devices',
    help: 'give what `iptables-save` prints, or `iptables -S`',
  },
  { line: /^(?:services|networks):/m, message: 'this is a compose file, not a ruleset', help: '`5x5 docker` writes the rules of one, and `--compose FILE` makes its host' },
  { line: /^(?:namespaces|devices|routes):/m, message: 'this is a topology, not a ruleset', help: 'give it with `--topology FILE`' },
  { line: /^(?:default|zone|allow|publish)[ \t]+\S/m, message: 'this is a policy, not a ruleset', help: '`5x5 compile` makes rules of it' },
]

/** Returns what a text is that has no line of iptables-restore's format; undefined for one that has, and for one that says nothing. */
export function foreignText(text: string): ForeignText | undefined {
  if (RESTORE_LINE.test(text)) return undefined
  for (const { line, message, help } of KINDS) {
    const found = line.exec(text)
    if (found) return { at: found.index, message, help }
  }
  const first = /^[ \t]*[^\s#]/m.exec(text)
  return first ? { at: first.index, message: 'this is no ruleset: it has no table, and no iptables command', help: 'give what `iptables-save` or `iptables -S` prints' } : undefined
}
