/** Published and exposed ports of a compose service, in short and in long form. Source: compose-spec 05-services.md "ports"; go-connections nat/nat.go ParsePortSpec(). */

import { fieldsOf } from '../draft/fields.ts'
import { readAddress } from '../net/address.ts'
import { PORT_PROTOCOLS } from '../net/protocol.ts'
import type { PortProtocol } from '../net/protocol.ts'
import { complain, isMapping } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'
import { PORT_KEYS } from './compose-keys.ts'
import { filledAddress, filledNumber, filledText } from './compose-reader.ts'
import type { ComposeReader } from './compose-reader.ts'
import type { PortRequest } from './model.ts'

const HIGHEST_PORT = 65535

/** Reads one entry of `ports`: a range makes several requests. */
export function readPorts(value: YamlValue, reader: ComposeReader): readonly PortRequest[] {
  return isMapping(value) ? readLongPort(value, reader) : readShortPort(value, reader)
}

/** Reads one entry of `expose`: `9000`, `9000-9002/udp`. */
export function readExposed(value: YamlValue, reader: ComposeReader): readonly { readonly protocol: PortProtocol; readonly port: number }[] {
  const text = filledText(value, 'an exposed port', reader)
  if (text === undefined) return []
  const [ports, protocolText = 'tcp'] = text.split('/')
  const range = readRange(ports ?? '', value)
  const protocol = readProtocol(protocolText, value)
  return range && protocol ? numbersOf(range).map(port => ({ protocol, port })) : []
}

function readLongPort(value: YamlValue, reader: ComposeReader): readonly PortRequest[] {
  const find = fieldsOf(value, 'a port', PORT_KEYS, reader)
  const [target, published, hostIp, protocolEntry] = [find('target'), find('published'), find('host_ip'), find('protocol')]
  if (!target) {
    complain(value.reader, 'bad-value', value.span, 'a port has no `target`', 'write the port of the container: `target: 80`')
    return []
  }
  const containerPort = filledNumber(target.value, 'port', 1, HIGHEST_PORT, reader)
  const publishedText = published && filledText(published.value, '`published`', reader)
  const hostPorts = published && publishedText !== undefined && publishedText !== '' ? readRange(publishedText, published.value) : undefined
  const protocol = readProtocol((protocolEntry && filledText(protocolEntry.value, '`protocol`', reader)) ?? 'tcp', protocolEntry?.value ?? value)
  const hostAddress = hostIp && filledAddress(hostIp.value, '`host_ip`', reader)
  if (containerPort === undefined || !protocol || (published && publishedText !== '' && !hostPorts)) return []
  return [{ protocol, containerPort, span: value.span, ...(hostAddress === undefined ? {} : { hostAddress }), ...(hostPorts ? { hostPorts } : {}) }]
}

function readShortPort(value: YamlValue, reader: ComposeReader): readonly PortRequest[] {
  const text = filledText(value, 'a port', reader)
  if (text === undefined) return []
  const [spec = '', protocolText = 'tcp', ...more] = text.split('/')
  const parts = spec.split(':')
  const containerText = parts.at(-1) ?? ''
  const hostText = parts.at(-2) ?? ''
  const addressText = parts.slice(0, -2).join(':')
  const protocol = readProtocol(protocolText, value)
  const container = readRange(containerText, value)
  const host = hostText === '' ? undefined : readRange(hostText, value)
  const hostAddress = addressText === '' ? undefined : readAddress(addressText.replace(/^\[(.*)\]$/, '$1'))
  if (more.length > 0) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not a port`, SHORT_FORM)
  if (addressText !== '' && hostAddress === undefined) complain(value.reader, 'bad-value', value.span, `\`${addressText}\` is not an address of the host`, SHORT_FORM)
  if (!protocol || !container || (hostText !== '' && !host) || (addressText !== '' && hostAddress === undefined) || more.length > 0) return []
  const common = { protocol, span: value.span, ...(hostAddress === undefined ? {} : { hostAddress }) }
  if (container.low === container.high) return [{ ...common, containerPort: container.low, ...(host ? { hostPorts: host } : {}) }]
  if (host && host.high - host.low !== container.high - container.low) {
    complain(value.reader, 'bad-value', value.span, `\`${hostText}\` and \`${containerText}\` have different numbers of ports`, 'give each port of the container one of the host')
    return []
  }
  return numbersOf(container).map((containerPort, index) => ({ ...common, containerPort, ...(host ? { hostPorts: { low: host.low + index, high: host.low + index } } : {}) }))
}

const SHORT_FORM = 'write [ADDRESS:][HOST PORT:]CONTAINER PORT[/PROTOCOL], such as 8080:80, 127.0.0.1:8080:80 or 53:53/udp'

interface PortRange {
  readonly low: number
  readonly high: number
}

function readRange(text: string, value: YamlValue): PortRange | undefined {
  const [, lowText = '', highText = lowText] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  const [low, high] = [Number(lowText), Number(highText)]
  const problem = lowText === '' ? [`\`${text}\` is not a port`, SHORT_FORM] as const
    : high > HIGHEST_PORT || low > HIGHEST_PORT ? [`port \`${low > HIGHEST_PORT ? low : high}\` is above ${HIGHEST_PORT}`] as const
      : low === 0 ? ['port `0` cannot be published'] as const
        : high < low ? [`the range \`${text}\` ends before it begins`] as const : undefined
  if (!problem) return { low, high }
  complain(value.reader, 'bad-value', value.span, problem[0], problem[1])
  return undefined
}

function readProtocol(text: string, value: YamlValue): PortProtocol | undefined {
  const protocol = PORT_PROTOCOLS.find(name => name === text.toLowerCase())
  if (!protocol) complain(value.reader, 'bad-value', value.span, `\`${text}\` cannot be published`, 'tcp, udp and sctp can')
  return protocol
}

function numbersOf({ low, high }: PortRange): readonly number[] {
  return Array.from({ length: high - low + 1 }, (_, index) => low + index)
}
