/** The rules of endpoints and of their published ports. Source: daemon/libnetwork/drivers/bridge/internal/iptabler/endpoint.go, port.go; setPerPortIptables() of the older ones. */

import { fillChecksum, header, hideBehind, host, not, portOf, sendTo, verdict } from '../draft/rule-parts.ts'
import { append, inFilter, inNat, insert, RAW } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { familyOf, isUnspecified, writeAddress } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { CHAIN } from './chains.ts'
import { isAtLeast, isClassic } from './engine.ts'
import type { GatewayMode } from './engine.ts'
import type { Endpoint, PortBinding, Sandbox } from './model.ts'
import { isHairpin } from './side.ts'
import type { RuleContext } from './side.ts'

/** Returns the steps when an endpoint joins: since 28.2 nobody reaches its address past the host's nat. */
export function endpointSteps(sandbox: Sandbox, endpoint: Endpoint, { engine, options, family }: RuleContext): readonly Step[] {
  const { network } = endpoint
  const address = endpoint.addresses[family]
  const isOpen = !isAtLeast(engine, 28, 2) || options.noRaw || options.allowDirectRouting || network.isInternal
  if (isOpen || address === undefined || network.sides[family]?.mode !== 'nat') return []
  const owner = sandboxWords(sandbox)
  return [
    ...network.trustedDevices.map(device => append(RAW, {
      matches: [header({ destination: host(address), inDevice: device })], target: verdict('ACCEPT'), owner, reason: `what comes in by ${device} may go straight to ${owner} (trusted_host_interfaces)`,
    })),
    append(RAW, { matches: [header({ destination: host(address), inDevice: not(network.bridge) })], target: verdict('DROP'), owner, reason: `nobody outside ${network.bridge} sends straight to the address of ${owner}: published ports are reached by the host's address` }),
  ]
}

/** Returns the steps that publish a port. */
export function portSteps(sandbox: Sandbox, binding: PortBinding, context: RuleContext): readonly Step[] {
  if (familyOf(binding.address) !== context.family || binding.network.isInternal) return []
  const view: PortView = { ...binding, bridge: binding.network.bridge, mode: binding.network.sides[context.family]?.mode ?? 'nat', owner: sandboxWords(sandbox), context }
  const isProxied = familyOf(binding.hostAddress) !== familyOf(binding.address)
  if (isClassic(context.engine)) return isProxied ? [] : classicSteps(view)
  return [...rawSteps(view), ...(isProxied ? [] : [...natSteps(view), ...openSteps(view)])]
}

interface PortView extends PortBinding {
  readonly bridge: string
  readonly mode: GatewayMode
  readonly owner: string
  readonly context: RuleContext
}

/** Returns how sentences call a container. */
export function sandboxWords({ container }: Pick<Sandbox, 'container'>): string {
  return `container ${container}`
}

function classicSteps(port: PortView): readonly Step[] {
  const { hostPort } = port
  return [
    ...(hostPort === undefined ? [] : [translateIn(port, hostPort), translateSelf(port)]),
    append(inFilter(CHAIN.docker), openPort(port)),
    ...checksum(port),
  ]
}

function rawSteps(port: PortView): readonly Step[] {
  const { context: { engine, options }, mode } = port
  if (options.noRaw && isAtLeast(engine, 28, 0, 2)) return []
  return [...loopbackSteps(port), ...(!isAtLeast(engine, 28, 2) && mode === 'nat' ? [dropDirect(port)] : [])]
}

/** A port that is published on 127.0.0.1 is not for the neighbours of the host, who could send to that address. */
function loopbackSteps({ hostAddress, hostPort, protocol, owner, context }: PortView): readonly Step[] {
  if (hostPort === undefined || typeof hostAddress !== 'number' || hostAddress >>> 24 !== 127) return []
  const matches = (inDevice: Parameters<typeof header>[0]['inDevice']) => portOf(protocol, 'dport', hostPort, { destination: host(hostAddress), ...(inDevice === undefined ? {} : { inDevice }) })
  return [
    ...(context.options.wsl2Mirrored ? [append(RAW, { matches: matches('loopback0'), target: verdict('ACCEPT'), owner, reason: 'what Windows sends to its 127.0.0.1 comes in by loopback0' })] : []),
    append(RAW, { matches: matches(not('lo')), target: verdict('DROP'), owner, reason: `port ${hostPort}/${protocol} is published on ${writeAddress(hostAddress)}: only the host itself may use it` }),
  ]
}

function dropDirect({ address, port, protocol, bridge, owner }: PortView): Step {
  return append(RAW, {
    matches: portOf(protocol, 'dport', port, { destination: host(address), inDevice: not(bridge) }), target: verdict('DROP'), owner,
    reason: `nobody outside ${bridge} sends straight to port ${port} of ${owner}: it is reached by the host's address`,
  })
}

function natSteps(port: PortView): readonly Step[] {
  const { hostPort, context } = port
  return hostPort === undefined ? [] : [translateIn(port, hostPort), ...(isHairpin(context) ? [translateSelf(port)] : [])]
}

function translateIn(port: PortView, hostPort: number): Step {
  const { protocol, hostAddress, address, port: containerPort, bridge, owner, context } = port
  const linkLocal: Prefix = { address: 0xfe80n << 112n, mask: 0xffcn << 116n }
  const matches = portOf(protocol, 'dport', hostPort, {
    ...(context.family === 'ipv6' && !isClassic(context.engine) ? { source: not(linkLocal) } : {}),
    ...(isUnspecified(hostAddress) ? {} : { destination: host(hostAddress) }),
    ...(isHairpin(context) ? {} : { inDevice: not(bridge) }),
  })
  return append(inNat(CHAIN.docker), { matches, target: sendTo(address, containerPort), owner, reason: `port ${hostPort}/${protocol} ${isUnspecified(hostAddress) ? 'of the host' : `of ${writeAddress(hostAddress)}`} is port ${containerPort} of ${owner}` })
}

function translateSelf({ protocol, address, port, owner }: PortView): Step {
  return append(inNat('POSTROUTING'), {
    matches: portOf(protocol, 'dport', port, { source: host(address), destination: host(address) }), target: hideBehind(undefined), owner,
    reason: `${owner} can reach itself by its published port`,
  })
}

function openSteps(port: PortView): readonly Step[] {
  const { mode, context: { options, engine } } = port
  if (mode === 'nat-unprotected') return []
  return [insert(inFilter(CHAIN.docker), openPort(port)), ...(options.sctpChecksum && engine.major === 28 ? checksum(port) : [])]
}

function openPort({ protocol, port, address, bridge, owner, mode }: PortView) {
  return {
    matches: portOf(protocol, 'dport', port, { destination: host(address), inDevice: not(bridge), outDevice: bridge }), target: verdict('ACCEPT'), owner,
    reason: mode === 'routed' ? `port ${port}/${protocol} of ${owner} is open to whom routing leads there` : `port ${port}/${protocol} of ${owner} is published`,
  }
}

function checksum({ protocol, port, owner }: PortView): readonly Step[] {
  if (PROTOCOL[protocol] !== PROTOCOL.sctp) return []
  return [append({ table: 'mangle', chain: 'POSTROUTING' }, { matches: portOf('sctp', 'sport', port), target: fillChecksum, owner, reason: `what ${owner} sends over SCTP has a checksum that hardware would have to fill in` })]
}
