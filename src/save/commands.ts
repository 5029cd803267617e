/** The commands of iptables: `-A CHAIN`, `-I CHAIN [N]`, ... Source: iptables(8) "commands"; iptables/xshared.c do_parse(). */

/** What a line does to its table. Rule numbers are 1-based. `hasRule` tells whether the line's other words make a rule. */
export type Command =
  | { readonly kind: 'append'; readonly chain: string; readonly hasRule: true }
  | { readonly kind: 'check'; readonly chain: string; readonly hasRule: true }
  | { readonly kind: 'insert' | 'replace'; readonly chain: string; readonly number: number; readonly hasRule: true }
  | { readonly kind: 'deleteRule'; readonly chain: string; readonly hasRule: true }
  | { readonly kind: 'deleteNumber'; readonly chain: string; readonly number: number; readonly hasRule: false }
  | { readonly kind: 'newChain'; readonly chain: string; readonly hasRule: false }
  | { readonly kind: 'deleteChain' | 'flush' | 'zero' | 'list'; readonly chain: string | undefined; readonly hasRule: false }
  | { readonly kind: 'zeroRule'; readonly chain: string; readonly number: number; readonly hasRule: false }
  | { readonly kind: 'help'; readonly hasRule: false }
  | { readonly kind: 'policy'; readonly chain: string; readonly policy: string; readonly hasRule: false }
  | { readonly kind: 'rename'; readonly chain: string; readonly newName: string; readonly hasRule: false }

/** A command that was found, the index of the word after it, and what is wrong with it. */
export interface FoundCommand {
  readonly command: Command | undefined
  readonly next: number
  readonly problem: string | undefined
}

/** A command's short name. */
export type CommandLetter = 'A' | 'C' | 'D' | 'E' | 'F' | 'I' | 'L' | 'N' | 'P' | 'R' | 'S' | 'X' | 'Z' | 'h'

/** The short name of a command by each of its words. */
export const COMMAND_LETTERS: ReadonlyMap<string, CommandLetter> = new Map<string, CommandLetter>(
  Object.entries({
    append: 'A', check: 'C', delete: 'D', 'rename-chain': 'E', flush: 'F', insert: 'I', list: 'L', 'new-chain': 'N', policy: 'P', replace: 'R',
    'list-rules': 'S', 'delete-chain': 'X', zero: 'Z', new: 'N', help: 'h',
  } as const).flatMap(([long, letter]) => [[`--${long}`, letter], [`-${letter}`, letter]]),
)

/** The long names of the commands, for abbreviations and "did you mean". */
export const COMMAND_NAMES: readonly string[] = [...COMMAND_LETTERS.keys()].filter(name => name.startsWith('--'))

/** Tells whether `-c` may stand with a command. Source: iptables/xshared.c commands_v_options. */
export function takesCounters({ kind }: Command): boolean {
  return kind === 'append' || kind === 'insert' || kind === 'replace' || kind === 'policy'
}

/** Returns the command whose letter stands at a word, with the words that belong to it. */
export function readCommand(letter: CommandLetter, words: readonly string[], at: number): FoundCommand {
  const chain = argument(words, at + 1)
  if (chain === undefined && !'FLSXZh'.includes(letter)) return { command: undefined, next: at + 1, problem: `\`${words[at]}\` needs the name of a chain` }
  if (letter === 'A' && chain !== undefined) return { command: { kind: 'append', chain, hasRule: true }, next: at + 2, problem: undefined }
  return withArguments(letter, chain, chain === undefined ? undefined : argument(words, at + 2), at + 1 + (chain === undefined ? 0 : 1))
}

/** A word that is not an option. */
function argument(words: readonly string[], at: number): string | undefined {
  const word = words[at]
  return word === undefined || word === '!' || (word.charCodeAt(0) === 45 && word.length > 1) ? undefined : word
}

function withArguments(letter: CommandLetter, chain: string | undefined, second: string | undefined, next: number): FoundCommand {
  const name = chain ?? ''
  const found = (command: Command, used = 0): FoundCommand => ({ command, next: next + used, problem: undefined })
  switch (letter) {
    case 'A':
      return found({ kind: 'append', chain: name, hasRule: true })
    case 'C':
      return found({ kind: 'check', chain: name, hasRule: true })
    case 'D':
      return second === undefined ? found({ kind: 'deleteRule', chain: name, hasRule: true }) : numbered(second, next, number => ({ kind: 'deleteNumber', chain: name, number, hasRule: false }))
    case 'I':
      return second === undefined ? found({ kind: 'insert', chain: name, number: 1, hasRule: true }) : numbered(second, next, number => ({ kind: 'insert', chain: name, number, hasRule: true }))
    case 'R':
      return numbered(second ?? '', next, number => ({ kind: 'replace', chain: name, number, hasRule: true }))
    case 'N':
      return found({ kind: 'newChain', chain: name, hasRule: false })
    case 'P':
      return second === undefined ? { command: undefined, next, problem: '`-P` needs a chain and a policy' } : found({ kind: 'policy', chain: name, policy: second, hasRule: false }, 1)
    case 'E':
      return second === undefined ? { command: undefined, next, problem: '`-E` needs the old and the new name of a chain' } : found({ kind: 'rename', chain: name, newName: second, hasRule: false }, 1)
    case 'h':
      return { command: { kind: 'help', hasRule: false }, next, problem: undefined }
    case 'F':
      return found({ kind: 'flush', chain, hasRule: false })
    case 'X':
      return found({ kind: 'deleteChain', chain, hasRule: false })
    case 'Z':
      return second === undefined ? found({ kind: 'zero', chain, hasRule: false }) : numbered(second, next, number => ({ kind: 'zeroRule', chain: name, number, hasRule: false }))
    case 'L':
    case 'S':
      return found({ kind: 'list', chain, hasRule: false }, second === undefined ? 0 : 1)
  }
}

function numbered(word: string, next: number, make: (number: number) => Command): FoundCommand {
  const number = /^\d+$/.test(word) ? Number(word) : 0
  const used = word === '' ? 0 : 1
  return number > 0 ? { command: make(number), next: next + used, problem: undefined } : { command: undefined, next: next + used, problem: `\`${word}\` is not a rule number: rules are counted from 1` }
}
