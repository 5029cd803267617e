/** Single values of descriptions: addresses, subnets, words of a list, ports. What is wrong is complained of at its place. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import { readAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { DEVICE_NAME_LIMIT } from '../net/device-name.ts'
import { readAddressWithLength } from '../net/prefix-math.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import { PORT_PROTOCOLS } from '../net/protocol.ts'
import type { PortProtocol } from '../net/protocol.ts'
import { complain, isList, itemsOf, numberOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'

/** Returns an address. */
export function addressOf(value: YamlValue, what: string): Address | undefined {
  const text = textOf(value, what)
  if (text === undefined) return undefined
  const address = readAddress(text)
  if (address === undefined) complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not an address`)
  return address
}

/** Returns an address with the length of its prefix. */
export function subnetOf(value: YamlValue, what: string): AddressWithLength | undefined {
  const text = textOf(value, what)
  if (text === undefined) return undefined
  const subnet = readAddressWithLength(text)
  if (!subnet) complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not a subnet`, 'write it with the length of its prefix, such as 10.22.0.0/16')
  return subnet
}

/** Returns one of a few words. */
export function choiceOf<T extends string>(value: YamlValue, what: string, choices: readonly T[]): T | undefined {
  const text = textOf(value, what)
  const choice = choices.find(one => one === text)
  if (text !== undefined && choice === undefined) complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not known`, didYouMean(text, choices) ?? `known are ${choices.join(', ')}`)
  return choice
}

/** Returns the name of a device. */
export function deviceOf(value: YamlValue, what: string): string | undefined {
  const text = textOf(value, what)
  if (text === undefined || (/^[^\s/:!"'\\+-][^\s/:"'\\+]*$/.test(text) && text.length <= DEVICE_NAME_LIMIT)) return text
  complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not the name of a device`, `a name has at most ${DEVICE_NAME_LIMIT} characters, no blanks and no slash`)
  return undefined
}

/** Returns the name of a chain. */
export function chainOf(value: YamlValue, what: string): string | undefined {
  const text = textOf(value, what)
  if (text === undefined || /^[^\s!"'\\-][^\s"'\\]{0,27}$/.test(text)) return text
  complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not the name of a chain`, 'a name has at most 28 characters and no blanks')
  return undefined
}

/** Returns a port number, 1 to 65535. */
export function portOf(value: YamlValue, what: string): number | undefined {
  return numberOf(value, what, 1, 65535)
}

/** Returns a protocol whose ports can be published, in upper or lower case. */
export function protocolOf(value: YamlValue, what: string): PortProtocol | undefined {
  const text = textOf(value, what)
  const protocol = PORT_PROTOCOLS.find(one => one === text?.toLowerCase())
  if (text !== undefined && !protocol) complain(value.reader, 'bad-value', value.span, `${what} \`${text}\` is not known`, `known are ${PORT_PROTOCOLS.join(', ')}`)
  return protocol
}

/** Returns the items of what must be a list; nothing at all is an empty one. */
export function listOf(value: YamlValue | undefined, what: string): readonly YamlValue[] {
  if (!value) return []
  const items = itemsOf(value)
  if (items.length === 0 || isList(value)) return items
  complain(value.reader, 'bad-value', value.span, `${what} must be a list (\`- item\` lines)`)
  return []
}
