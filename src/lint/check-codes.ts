/** What the codes of reading and `check` mean, for `5x5 explain CODE`: what is wrong, and why that matters. */

import type { DiagnosticCode } from '../diagnostics/diagnostic.ts'
import type { LintRuleId } from './lint-rule.ts'

/** A code that no lint rule has. */
export type CheckCode = Exclude<DiagnosticCode, LintRuleId>

/** What is said of one code. */
export interface CodeWords {
  readonly what: string
  readonly why: string
}

/** Every code that is not a lint rule's, in alphabetical order; a test tells which are missing. */
export const CHECK_CODES: Readonly<Partial<Record<CheckCode, CodeWords>>> = {
  'address-in-use': { what: 'two containers or the host have one address', why: 'the second cannot start' },
  'ambiguous-option': { what: 'an option is cut short so far that it may be several', why: 'iptables takes an option that is cut short only where one option begins so' },
  'attached-value': { what: 'a value is written without a blank or `=` behind its option', why: 'iptables reads it, people and other programs may not' },
  'backends-differ': { what: 'iptables-legacy and iptables-nft load the rule with different meanings', why: 'which of them loads the file decides what the rule does' },
  'bad-address': { what: 'an address of a policy cannot be read', why: 'nothing is compiled from what cannot be read' },
  'bad-counters': { what: 'counters are not two numbers', why: 'iptables-restore takes `[packets:bytes]` before a rule and behind a policy, and refuses all else' },
  'bad-limit': { what: 'a limit of a policy cannot be kept', why: 'the kernel counts in whole packets, within bounds' },
  'bad-option': { what: 'an option of a policy has a value that it cannot have', why: 'it would change what is written into the tables' },
  'bad-prefix': { what: 'an address or prefix cannot be read', why: 'iptables-restore refuses the whole table' },
  'bad-service': { what: 'a service of a policy cannot stand here', why: 'the sentence would have no meaning, or several' },
  'bad-value': { what: 'the value of an option cannot be read', why: 'iptables-restore refuses the whole table' },
  'bad-yaml': { what: 'a file is not YAML', why: 'nothing in it can be used' },
  'carriage-return': { what: 'lines end in CR LF', why: 'iptables-restore takes the CR for a part of the last word' },
  'chain-depth': { what: 'jumps nest too deep', why: 'nf_tables takes 15 and refuses more' },
  'chain-exists': { what: 'a chain is declared twice', why: 'iptables-legacy-restore refuses the second declaration' },
  'chain-in-use': { what: 'a chain that rules still lead to is removed', why: 'iptables refuses to' },
  'chain-name': { what: 'a chain cannot be called so', why: 'names have at most 28 bytes, and are not those of targets or options' },
  'command-line': { what: 'a line is not a command of iptables', why: 'it changes nothing, or does what cannot be told from here' },
  'dangling-peer': { what: 'the other end of a link does not exist', why: 'packets that leave by it go nowhere' },
  'dependency-loop': { what: 'services wait for each other to start', why: 'none of them can start first' },
  'docker-zone': { what: "a policy says of docker's zone what docker decides", why: 'the engine writes these rules itself and would not keep to it' },
  'duplicate-address': { what: 'an address is given to two devices', why: 'the host would have it twice' },
  'duplicate-clause': { what: 'a sentence of a policy has a clause twice', why: 'only one of the two could count' },
  'duplicate-key': { what: 'a key is there twice', why: 'only one of the two can count' },
  'duplicate-name': { what: 'a name of a policy is defined twice', why: 'it would be open which is meant' },
  'duplicate-option': { what: 'an option is given twice', why: 'iptables refuses it, or only the last counts' },
  'empty-file': { what: 'the file is empty', why: 'loading it changes nothing' },
  'empty-match': { what: 'a sentence of a policy is about nothing', why: 'everything is excepted again, so it does nothing' },
  'engine-refuses': { what: 'the engine refuses to start a container or network', why: 'its rules are not written' },
  'icc-not-enforced': { what: 'containers reach each other although that is turned off', why: 'the engine forbids it between networks, or between containers of this one, only under conditions that do not hold' },
  'include-failed': { what: 'a file that a policy includes cannot be read', why: 'what it says is missing' },
  'internal-network-publishes': { what: 'a container that is only on internal networks publishes a port', why: 'nobody outside reaches it: the engine writes no rules for it' },
  'list-loop': { what: 'a list of a policy contains itself', why: 'its content has no end' },
  'load-ends': { what: 'the load ends here', why: 'a word makes iptables print its help or version: what follows is not loaded' },
  'misplaced-clause': { what: 'a clause of a policy stands where it means nothing', why: 'the sentence would not do what it says' },
  'misplaced-device': { what: '`-i` or `-o` stands where packets have no such device', why: 'iptables refuses it in built-in chains' },
  'misplaced-match': { what: 'a match stands where it cannot', why: 'the kernel refuses it in this table or at this hook' },
  'misplaced-target': { what: 'a target stands where it cannot', why: 'the kernel refuses it in this table or at this hook' },
  'missing-addresses': { what: 'a zone of a policy says no addresses, and they are needed here', why: 'source NAT cannot see where a packet came in' },
  'missing-commit': { what: 'COMMIT is missing', why: 'the table is not loaded without it' },
  'missing-option': { what: 'an option that another needs is missing', why: 'iptables refuses the rule, and with it the table' },
  'missing-value': { what: 'an option has no value', why: 'iptables refuses the rule, and with it the table' },
  'mixed-families': { what: 'IPv4 and IPv6 stand in one file', why: 'iptables-restore loads one family, ip6tables-restore the other' },
  'not-invertible': { what: '`!` stands before what cannot be turned round', why: 'iptables refuses the rule, and with it the table' },
  'not-modelled': { what: 'the file asks for something that is not modelled', why: 'what follows from it is missing in the rules that are shown' },
  'old-negation': { what: '`!` stands behind its option', why: 'refused since iptables 1.4.3: it comes before the option' },
  'one-family': { what: 'something in a policy has addresses of one family only', why: 'sentences about it make no rules for the other' },
  'open-quote': { what: 'a quote is not closed', why: 'the rest of the line, its end too, becomes part of the word' },
  'option-conflict': { what: 'two options exclude each other', why: 'iptables refuses the rule, and with it the table' },
  'outside-table': { what: 'a line stands outside of a table', why: 'iptables-restore refuses it: a table begins with `*TABLE` and ends with `COMMIT`' },
  'overlapping-subnets': { what: 'two networks have addresses in common', why: 'the engine refuses the second, or packets take the wrong way' },
  'policy-syntax': { what: 'the policy cannot be read here', why: 'nothing is compiled from what cannot be read' },
  'port-claimed-twice': { what: 'two containers publish one port', why: 'the second cannot start' },
  'protocol-needed': { what: '`-p` is missing', why: 'the extension works on one protocol, and the kernel refuses it without' },
  'published-on-all-addresses': { what: 'a port is published on every address of the host', why: 'whoever reaches the host reaches the container, past the rules of INPUT' },
  'rule-number': { what: 'there is no rule of this number', why: 'iptables refuses to insert, replace or delete there' },
  'silent-change': { what: 'a value is changed when it is loaded', why: 'the rule that is in force is not the one that is written' },
  'stray-words': { what: 'words that belong to no option', why: 'iptables refuses the rule, and with it the table' },
  'unknown-chain': { what: 'there is no such chain', why: 'loading refuses the whole table' },
  'unknown-command': { what: 'there is no such command', why: 'a rule begins with `-A CHAIN` or another command of iptables' },
  'unknown-device': { what: 'there is no such device', why: 'a route or port needs a device of the same namespace' },
  'unknown-extension': { what: 'there is no such match or target', why: 'what the rule does is left open' },
  'unknown-key': { what: 'the key is not known', why: 'what stands there is not looked at' },
  'unknown-match': { what: 'there is no such match', why: 'iptables 1.8.9 refuses it where no other package brings it' },
  'unknown-name': { what: 'there is nothing of this name in the policy', why: 'nothing is compiled from what is not defined' },
  'unknown-network': { what: 'there is no such network', why: 'a service can only join networks that the file declares' },
  'unknown-option': { what: 'there is no such option', why: 'iptables refuses the rule, and with it the table' },
  'unknown-policy': { what: 'a chain cannot have this policy', why: 'built-in chains have ACCEPT or DROP, others none' },
  'unknown-service': { what: 'there is no such service', why: 'a service can only depend on those of the file' },
  'unknown-table': { what: 'there is no such table', why: 'the tables are raw, mangle, nat, filter, security' },
  'unknown-target': { what: 'there is no such target or chain', why: 'loading refuses the whole table' },
  'unreadable-file': { what: 'a file that is named cannot be read', why: 'what it says is missing' },
}
