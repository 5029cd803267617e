/** What all readers of compose files share: checked keys, texts with variables filled in, addresses and subnets. */

import { reportInto } from '../diagnostics/diagnostic.ts'
import type { Diagnostic, Report } from '../diagnostics/diagnostic.ts'
import { readAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { readAddressWithLength } from '../net/prefix-math.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import { complain, textOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'
import type { Engine } from './engine.ts'
import { fillVariables } from './interpolate.ts'
import type { Variables } from './interpolate.ts'

/** One reading of a file. `ignored` collects keys that are of no matter for packets. */
export interface ComposeReader {
  readonly engine: Engine
  readonly variables: Variables
  readonly ignored: Set<string>
  readonly report: Report
}

/** Returns a reader that adds to diagnostics. */
export function composeReader(engine: Engine, variables: Variables, diagnostics: Diagnostic[]): ComposeReader {
  return { engine, variables, ignored: new Set(), report: reportInto(diagnostics) }
}

/** Returns a scalar's text with its variables filled in. */
export function filledText(value: YamlValue, what: string, { variables, report }: ComposeReader): string | undefined {
  const text = textOf(value, what)
  return text === undefined ? undefined : fillVariables(text, variables, problem => report('bad-value', problem.severity, value.span, problem.message, problem.help === undefined ? {} : { help: problem.help }))
}

/** Returns true or false; complains where the text is neither. */
export function filledFlag(value: YamlValue, what: string, reader: ComposeReader): boolean | undefined {
  const text = filledText(value, what, reader)
  if (text === undefined) return undefined
  if (/^(true|yes|on|1)$/i.test(text)) return true
  if (!/^(false|no|off|0)$/i.test(text)) complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is neither true nor false`)
  return false
}

/** Returns a whole number within bounds. */
export function filledNumber(value: YamlValue, what: string, low: number, high: number, reader: ComposeReader): number | undefined {
  const text = filledText(value, what, reader)
  if (text === undefined) return undefined
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= low && number <= high) return number
  complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not a number from ${low} to ${high}`)
  return undefined
}

/** Returns an address. */
export function filledAddress(value: YamlValue, what: string, reader: ComposeReader): Address | undefined {
  const text = filledText(value, what, reader)
  if (text === undefined) return undefined
  const address = readAddress(text)
  if (address === undefined) complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not an address`)
  return address
}

/** Returns an address with the length of its prefix, such as a subnet. */
export function filledSubnet(value: YamlValue, what: string, reader: ComposeReader): AddressWithLength | undefined {
  const text = filledText(value, what, reader)
  if (text === undefined) return undefined
  const subnet = readAddressWithLength(text)
  if (!subnet) complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not a subnet`, 'write it with the length of its prefix, such as 172.30.0.0/16')
  return subnet
}
