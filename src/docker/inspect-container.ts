/** One container in what `docker inspect` prints. */

import type { Report } from '../diagnostics/diagnostic.ts'
import { readAddress } from '../net/address.ts'
import { PORT_PROTOCOLS } from '../net/protocol.ts'
import type { PortProtocol } from '../net/protocol.ts'
import { itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { DEFAULT_NETWORK } from './default-network.ts'
import { at, entriesAt, textAt } from './inspect-values.ts'
import type { PortRequest } from './model.ts'
import type { ContainerPlan, JoinPlan } from './plan.ts'

/** Reads a container. Its published ports are those that the engine made, or, where it does not run, those that it was asked for. */
export function readContainer(item: YamlValue, report: Report): ContainerPlan {
  const name = (textAt(item, 'Name') ?? textAt(item, 'Id') ?? 'container').replace(/^\//, '')
  const service = textAt(item, 'Config', 'Labels', 'com.docker.compose.service')
  const mode = textAt(item, 'HostConfig', 'NetworkMode') ?? 'default'
  const guestOf = /^container:(.*)$/.exec(mode)?.[1]
  const made = entriesAt(item, 'NetworkSettings', 'Ports').flatMap(entry => readPort(entry, report))
  const asked = entriesAt(item, 'HostConfig', 'PortBindings').flatMap(entry => readPort(entry, report))
  const links = at(item, 'HostConfig', 'Links')
  return {
    name, span: item.span, mode: guestOf !== undefined ? 'guest' : mode === 'host' || mode === 'none' ? mode : 'own',
    ...(service === undefined ? {} : { service }), ...(guestOf === undefined ? {} : { guestOf }),
    joins: mode === 'host' || mode === 'none' || guestOf !== undefined ? [] : entriesAt(item, 'NetworkSettings', 'Networks').map(readJoin),
    ports: made.length > 0 ? made : asked,
    exposed: entriesAt(item, 'Config', 'ExposedPorts').flatMap(({ key }) => portOfKey(key) ?? []),
    links: links ? itemsOf(links).flatMap(link => textOf(link, 'a link')?.split(':')[0]?.replace(/^\//, '') ?? []) : [],
    sysctls: Object.fromEntries(entriesAt(item, 'HostConfig', 'Sysctls').map(({ key, value }) => [key, textOf(value, `sysctl \`${key}\``) ?? ''])),
  }
}

function readJoin({ key, value }: YamlEntry): JoinPlan {
  const address = (name: string) => {
    const found = readAddress(textAt(value, name) ?? '')
    return found === undefined ? undefined : { value: found, span: value.span }
  }
  const [ipv4, ipv6] = [address('IPAddress'), address('GlobalIPv6Address')]
  const mac = textAt(value, 'MacAddress')?.replaceAll(':', '').toLowerCase()
  return {
    network: key === 'default' ? DEFAULT_NETWORK : key, addresses: { ...(ipv4 ? { ipv4 } : {}), ...(ipv6 ? { ipv6 } : {}) },
    gatewayPriority: Number(textAt(value, 'GwPriority') ?? 0) || 0, ...(mac === undefined ? {} : { mac }),
  }
}

/** `"80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": "8080" }]`; null where it is only exposed. */
function readPort({ key, keySpan, value }: YamlEntry, report: Report): readonly PortRequest[] {
  const port = portOfKey(key)
  if (!port) {
    report('bad-value', 'error', keySpan, `\`${key}\` is not a port`)
    return []
  }
  return itemsOf(value).map((binding): PortRequest => {
    const hostAddress = readAddress(textAt(binding, 'HostIp') ?? '')
    const [low, high = low] = (textAt(binding, 'HostPort') ?? '').split('-').map(Number)
    return {
      protocol: port.protocol, containerPort: port.port, span: binding.span, ...(hostAddress === undefined ? {} : { hostAddress }),
      ...(low === undefined || high === undefined || !(low > 0) ? {} : { hostPorts: { low, high } }),
    }
  })
}

function portOfKey(key: string): { readonly protocol: PortProtocol; readonly port: number } | undefined {
  const [, port, name = 'tcp'] = /^(\d+)(?:\/(\w+))?$/.exec(key) ?? []
  const protocol = PORT_PROTOCOLS.find(one => one === name)
  return port === undefined || !protocol ? undefined : { protocol, port: Number(port) }
}
