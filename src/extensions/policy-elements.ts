/** What the match policy asks of IPsec policies: elements of several conditions, with `--next` between them. Source: extensions/libxt_policy.c policy_parse(). */

import { hostMask } from './address-types.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, OptionUseOf, Reading } from './extension.ts'
import { protocol, wholeNumber } from './option-types.ts'
import type { Family, Prefix } from '../net/address.ts'
import { writePrefix } from '../net/address.ts'
import { savedProtocolName } from '../net/protocol.ts'

/** One condition as given, or the step to the next element. The kinds stand in the order of printing. */
export interface PolicyStep {
  readonly kind: (typeof KINDS)[number] | 'next'
  readonly text: string
  readonly inverted: boolean
}

const KINDS = ['reqid', 'spi', 'proto', 'mode', 'tunnel-dst', 'tunnel-src'] as const
const MAX_ELEMENTS = 4
const PROTOCOLS = [50, 51, 108]

const number = wholeNumber(0, 0xffffffff)

/** The types of the options by name; each reads one step. */
export const POLICY_STEPS: Readonly<Record<PolicyStep['kind'], OptionType<readonly PolicyStep[]>>> = {
  reqid: step('reqid', number, value => String(value)),
  spi: step('spi', number, value => `0x${value.toString(16)}`),
  proto: step('proto', { ...protocol, read: readPolicyProtocol }, value => savedProtocolName(value) ?? String(value)),
  mode: step('mode', { syntax: 'transport|tunnel', read: readMode }, value => value),
  'tunnel-dst': step('tunnel-dst', hostMask, (value: Prefix) => writePrefix(value)),
  'tunnel-src': step('tunnel-src', hostMask, (value: Prefix) => writePrefix(value)),
  next: { syntax: '', words: 0, read: () => read([{ kind: 'next', text: '', inverted: false }]), write: () => [] },
}

/** Joins what was given before with what follows; `!` belongs to the last step of each. */
export function joinSteps(earlier: OptionUseOf<readonly PolicyStep[]>, later: OptionUseOf<readonly PolicyStep[]>): OptionUseOf<readonly PolicyStep[]> {
  return { value: [...stepsOf(earlier), ...later.value], inverted: later.inverted }
}

/** Returns the elements, each with its conditions in the order of printing; one empty element where nothing is given. */
export function policyElements(use: OptionUseOf<readonly PolicyStep[]> | undefined): readonly (readonly PolicyStep[])[] {
  const elements: PolicyStep[][] = [[]]
  for (const one of use ? stepsOf(use) : []) {
    if (one.kind === 'next') elements.push([])
    else elements.at(-1)?.push(one)
  }
  return elements.map(steps => KINDS.flatMap(kind => steps.filter(one => one.kind === kind)))
}

/** Returns elements as iptables-save prints them. */
export function writeElements(elements: readonly (readonly PolicyStep[])[]): string {
  return elements.map(steps => steps.map(({ kind, text, inverted }) => `${inverted ? '! ' : ''}--${kind} ${text}`).join(' ')).join(' --next ').trim()
}

/** Returns what is wrong with elements; undefined where nothing is. */
export function elementsProblem(elements: readonly (readonly PolicyStep[])[], isStrict: boolean): string | undefined {
  if (elements.length > MAX_ELEMENTS) return `there are more than ${MAX_ELEMENTS} elements of a policy`
  for (const steps of elements) {
    const twice = steps.find((one, index) => steps[index - 1]?.kind === one.kind)
    const mode = steps.find(one => one.kind === 'mode')
    const isTunnel = mode !== undefined && (mode.text === 'tunnel') !== mode.inverted
    if (twice) return `\`--${twice.kind}\` is given twice for one element`
    if (isStrict && steps.length === 0) return '`--strict` needs at least one condition for each element'
    if (!isTunnel && steps.some(one => one.kind.startsWith('tunnel-'))) return '`--tunnel-src` and `--tunnel-dst` need `--mode tunnel`'
  }
  return undefined
}

function stepsOf({ value, inverted }: OptionUseOf<readonly PolicyStep[]>): readonly PolicyStep[] {
  return value.map((one, index) => (index === value.length - 1 ? { ...one, inverted } : one))
}

function step<T>(kind: PolicyStep['kind'], type: { readonly syntax: string; read(words: readonly string[], family: Family): Reading<T> }, write: (value: T) => string): OptionType<readonly PolicyStep[]> {
  return {
    syntax: type.syntax, words: 1,
    read(words, family) {
      const value = type.read(words, family)
      return value.ok ? read([{ kind, text: write(value.value), inverted: false }]) : value
    },
    write: steps => steps.map(one => one.text),
  }
}

function readMode([word = '']: readonly string[]): Reading<string> {
  return word === 'transport' || word === 'tunnel' ? read(word) : refuse(`\`${word}\` is not a mode: transport or tunnel`)
}

function readPolicyProtocol(words: readonly string[], family: Family): Reading<number> {
  const value = protocol.read(words, family)
  return value.ok && !PROTOCOLS.includes(value.value) ? refuse(`\`${words[0] ?? ''}\` is not a protocol of IPsec: ah, esp or ipcomp`) : value
}
