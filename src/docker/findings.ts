/** What the rules of a docker host will surprise with. Pure functions; what an INPUT chain would say of a port is asked of the caller. */

import { reportInto } from '../diagnostics/diagnostic.ts'
import type { Diagnostic, Report } from '../diagnostics/diagnostic.ts'
import { isUnspecified } from '../net/address.ts'
import { DEFAULT_NETWORK } from './default-network.ts'
import type { DockerHost, Join, PortBinding, Sandbox } from './model.ts'
import type { ContainerPlan, HostPlan } from './plan.ts'
import { sandboxWords } from './port-rules.ts'

/** What the host's own INPUT rules do with a packet for a published port: where it is refused, the rule or policy that does so. */
export type AskInput = (binding: PortBinding) => { readonly refusedBy: string } | undefined

/** Returns everything that is worth saying about a host. */
export function findSurprises(host: DockerHost, plan: HostPlan, askInput?: AskInput): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const report = reportInto(diagnostics)
  for (const { sandbox, bindings } of bySandbox(host)) {
    reportAllAddresses(sandbox, bindings, report)
    if (askInput) reportBypass(sandbox, bindings, askInput, report)
  }
  for (const container of plan.containers) reportInternal(container, host, report)
  reportIcc(host, report)
  return diagnostics
}

interface Published {
  readonly sandbox: Sandbox
  readonly bindings: readonly PortBinding[]
}

function bySandbox({ sandboxes, joins }: DockerHost): readonly Published[] {
  const of = new Map<Sandbox['container'], PortBinding[]>()
  for (const { sandbox, bindings } of joins) of.set(sandbox.container, [...(of.get(sandbox.container) ?? []), ...bindings])
  return sandboxes.map(sandbox => ({ sandbox, bindings: of.get(sandbox.container) ?? [] }))
}

/** Returns how sentences call a container: with its service where that is not said by its name. */
function words({ container, service }: Pick<Sandbox, 'container' | 'service'>): string {
  return service === undefined || service === container ? sandboxWords({ container }) : `${sandboxWords({ container })} (service ${service})`
}

/** IPv4 and IPv6 bindings of a port are one port. */
function portWords(bindings: readonly PortBinding[]): { readonly ports: string; readonly are: string; readonly them: string } {
  const names = [...new Set(bindings.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`))]
  const isOne = names.length === 1
  return { ports: `port${isOne ? '' : 's'} ${names.join(', ')}`, are: isOne ? 'is' : 'are', them: isOne ? 'it' : 'them' }
}

function reportAllAddresses(sandbox: Sandbox, bindings: readonly PortBinding[], report: Report): void {
  const open = bindings.filter(({ hostAddress, hostPort, request }) => hostPort !== undefined && isUnspecified(hostAddress) && request.hostAddress === undefined)
  const [first] = open
  if (!first?.request.span) return
  const { ports, are } = portWords(open)
  report('published-on-all-addresses', 'note', first.request.span, `${ports} of ${words(sandbox)} ${are} published on all addresses of the host`, {
    help: `to keep it to the host itself write \`127.0.0.1:${first.hostPort}:${first.port}\``,
  })
}

function reportBypass(sandbox: Sandbox, bindings: readonly PortBinding[], askInput: AskInput, report: Report): void {
  const [first, ...others] = bindings.flatMap(binding => {
    const answer = binding.hostPort === undefined ? undefined : askInput(binding)
    return answer ? [{ binding, ...answer }] : []
  })
  if (!first?.binding.request.span) return
  const { ports, are, them } = portWords([first, ...others].map(({ binding }) => binding))
  report('published-port-bypasses-input', 'warning', first.binding.request.span, `${ports} of ${words(sandbox)} ${are} open though INPUT refuses ${them} (${first.refusedBy})`, {
    help: 'packets for published ports are sent to the container before INPUT: restrict them in DOCKER-USER, or publish on 127.0.0.1',
  })
}

/** A container that is on internal networks only publishes nothing. */
function reportInternal({ name, service, ports, joins }: ContainerPlan, { networks }: DockerHost, report: Report): void {
  const [port] = ports
  const joined = joins.flatMap(({ network }) => networks.find(({ key }) => key === network) ?? [])
  if (!port?.span || joined.length === 0 || joined.some(({ isInternal }) => !isInternal)) return
  const names = joined.map(network => `\`${network.key}\``).join(', ')
  report('internal-network-publishes', 'warning', port.span, `${words({ container: name, ...(service === undefined ? {} : { service }) })} publishes nothing: its ${joined.length === 1 ? `network ${names} is` : `networks ${names} are`} internal`, {
    help: 'put it on a network that is not internal too, or leave out `ports`',
  })
}

/** With `icc` off neighbours cannot talk directly, but published ports lead around that; and daemon.json means docker0 only. */
function reportIcc(host: DockerHost, report: Report): void {
  for (const network of host.networks) {
    if (network.icc || network.isInternal || !network.span) continue
    const published = host.joins.filter(join => publishes(join, network.name))
    const [first] = published
    const neighbours = host.sandboxes.filter(({ endpoints }) => endpoints.some(endpoint => endpoint.network === network))
    if (!first || neighbours.length < 2) continue
    report('icc-not-enforced', 'note', network.span, `containers of ${network.name === DEFAULT_NETWORK ? 'docker0' : `network \`${network.key}\``} may not talk to each other, but ${words(first.sandbox)} is reached by its neighbours through its published port`, {
      help: 'a published port is open to everybody who reaches the host: publish on an address that containers do not reach',
    })
  }
  const others = host.networks.filter(({ name, icc }) => name !== DEFAULT_NETWORK && icc)
  const [other] = others
  if (!host.options.icc && other?.span) {
    report('icc-not-enforced', 'note', other.span, `\`icc: false\` of the engine is for docker0 only: containers of network \`${other.key}\` may talk to each other`, { help: 'set `com.docker.network.bridge.enable_icc: "false"` under its `driver_opts`' })
  }
}

function publishes({ bindings }: Join, network: string): boolean {
  return bindings.some(binding => binding.network.name === network && binding.hostPort !== undefined && !isLoopback(binding))
}

function isLoopback({ hostAddress }: PortBinding): boolean {
  return typeof hostAddress === 'number' ? hostAddress >>> 24 === 127 : hostAddress === 1n
}
