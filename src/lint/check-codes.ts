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

/** Every code that is not a lint rule's, in alphabetical order. */
export const CHECK_CODES: Readonly<Record<CheckCode, CodeWords>> = {
  'ambiguous-option': { what: 'an option is cut short so far that it may be several', why: 'iptables takes an option that is cut short only where one option begins so' },
  'attached-value': { what: 'a value is written without a blank or `=` behind its option', why: 'iptables reads it, people and other programs may not' },
  'backends-differ': { what: 'iptables-legacy and iptables-nft load the rule with different meanings', why: 'which of them loads the file decides what the rule does' },
  'bad-counters': { what: 'counters are not two numbers', why: 'iptables-restore takes `[packets:bytes]` before a rule and behind a policy, and refuses all else' },
  'bad-prefix': { what: 'an address or prefix cannot be read', why: 'iptables-restore refuses the whole table' },
  'bad-value': { what: 'the value of an option cannot be read', why: 'iptables-restore refuses the whole table' },
  'bad-yaml': { what: 'a file is not YAML', why: 'nothing in it can be used' },
  'carriage-return': { what: 'lines end in CR LF', why: 'iptables-restore takes the CR for a part of the last word' },
  'chain-depth': { what: 'jumps nest too deep', why: 'nf_tables takes 15 and refuses more' },
  'chain-exists': { what: 'a chain is declared twice', why: 'iptables-legacy-restore refuses the second declaration' },
  'chain-in-use': { what: 'a chain that rules still lead to is removed', why: 'iptables refuses to' },
  'chain-name': { what: 'a chain cannot be called so', why: 'names have at most 28 bytes, and are not those of targets or options' },
  'command-line': { what: 'a line is not a command of iptables', why: 'it changes nothing, or does what cannot be told from here' },
  'duplicate-address': { what: 'an address is given to two devices', why: 'the host would have it twice' },
  'duplicate-key': { what: 'a key is there twice', why: 'only one of the two can count' },
  'duplicate-option': { what: 'an option is given twice', why: 'iptables refuses it, or only the last counts' },
  'empty-file': { what: 'the file is empty', why: 'loading it changes nothing' },
  'load-ends': { what: 'the load ends here', why: 'a word makes iptables print its help or version: what follows is not loaded' },
  'misplaced-device': { what: '`-i` or `-o` stands where packets have no such device', why: 'iptables refuses it in built-in chains' },
  'misplaced-match': { what: 'a match stands where it cannot', why: 'the kernel refuses it in this table or at this hook' },
  'misplaced-target': { what: 'a target stands where it cannot', why: 'the kernel refuses it in this table or at this hook' },
  'missing-commit': { what: 'COMMIT is missing', why: 'the table is not loaded without it' },
  'missing-option': { what: 'an option that another needs is missing', why: 'iptables refuses the rule, and with it the table' },
  'missing-value': { what: 'an option has no value', why: 'iptables refuses the rule, and with it the table' },
  'mixed-families': { what: 'IPv4 and IPv6 stand in one file', why: 'iptables-restore loads one family, ip6tables-restore the other' },
  'not-invertible': { what: '`!` stands before what cannot be turned round', why: 'iptables refuses the rule, and with it the table' },
  'old-negation': { what: '`!` stands behind its option', why: 'refused since iptables 1.4.3: it comes before the option' },
  'open-quote': { what: 'a quote is not closed', why: 'the rest of the line, its end too, becomes part of the word' },
  'option-conflict': { what: 'two options exclude each other', why: 'iptables refuses the rule, and with it the table' },
  'outside-table': { what: 'a line stands outside of a table', why: 'iptables-restore refuses it: a table begins with `*TABLE` and ends with `COMMIT`' },
  'protocol-needed': { what: '`-p` is missing', why: 'the extension works on one protocol, and the kernel refuses it without' },
  'rule-number': { what: 'there is no rule of this number', why: 'iptables refuses to insert, replace or delete there' },
  'silent-change': { what: 'a value is changed when it is loaded', why: 'the rule that is in force is not the one that is written' },
  'stray-words': { what: 'words that belong to no option', why: 'iptables refuses the rule, and with it the table' },
  'unknown-chain': { what: 'there is no such chain', why: 'loading refuses the whole table' },
  'unknown-command': { what: 'there is no such command', why: 'a rule begins with `-A CHAIN` or another command of iptables' },
  'unknown-device': { what: 'there is no such device', why: 'a route or port needs a device of the same namespace' },
  'unknown-extension': { what: 'there is no such match or target', why: 'what the rule does is left open' },
  'unknown-key': { what: 'the key is not known', why: 'what stands there is not looked at' },
  'unknown-match': { what: 'there is no such match', why: 'iptables 1.8.9 refuses it where no other package brings it' },
  'unknown-option': { what: 'there is no such option', why: 'iptables refuses the rule, and with it the table' },
  'unknown-policy': { what: 'a chain cannot have this policy', why: 'built-in chains have ACCEPT or DROP, others none' },
  'unknown-table': { what: 'there is no such table', why: 'the tables are raw, mangle, nat, filter, security' },
  'unknown-target': { what: 'there is no such target or chain', why: 'loading refuses the whole table' },
}
