/** The labels of the bridge driver: what they set, and what an engine refuses of them. */

import type { Report } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { readAddress } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { DEVICE_NAME_LIMIT } from '../net/device-name.ts'
import { gatewayModes, isAtLeast } from './engine.ts'
import type { Engine, GatewayMode } from './engine.ts'
import type { DriverOption, NetworkPlan } from './plan.ts'

/** What the labels of a network set. */
export interface NetworkOptions {
  readonly bridge?: string
  readonly icc: boolean
  readonly masquerade: boolean
  readonly modes: Readonly<Record<Family, GatewayMode>>
  readonly hostBinding: Address
  readonly hostAddresses: Readonly<Partial<Record<Family, Address>>>
  readonly trustedDevices: readonly string[]
  readonly inhibitIpv4: boolean
  readonly mtu: number
  /** Devices in containers are called this with a number behind. */
  readonly devicePrefix: string
}

const BRIDGE = 'com.docker.network.bridge.'

/** Every label that is read. */
export const LABEL = {
  name: `${BRIDGE}name`,
  icc: `${BRIDGE}enable_icc`,
  masquerade: `${BRIDGE}enable_ip_masquerade`,
  mode4: `${BRIDGE}gateway_mode_ipv4`,
  mode6: `${BRIDGE}gateway_mode_ipv6`,
  binding: `${BRIDGE}host_binding_ipv4`,
  trusted: `${BRIDGE}trusted_host_interfaces`,
  inhibit: `${BRIDGE}inhibit_ipv4`,
  host4: 'com.docker.network.host_ipv4',
  host6: 'com.docker.network.host_ipv6',
  mtu: 'com.docker.network.driver.mtu',
  prefix: 'com.docker.network.container_iface_prefix',
  defaultBridge: `${BRIDGE}default_bridge`,
} as const

/** Reads the labels of a network over those that the daemon sets for all. */
export function readNetworkOptions(plan: NetworkPlan, engine: Engine, byDefault: Readonly<Record<string, string>>, report: Report): NetworkOptions {
  const known: readonly string[] = Object.values(LABEL)
  for (const { name, span } of plan.options) {
    if (!known.includes(name)) report('not-modelled', 'note', span, `the label \`${name}\` is not modelled: it sets nothing here`, withHelp(didYouMean(name, known)))
  }
  const read = labelReader(plan, byDefault, report)
  const mode = (label: string): GatewayMode => readMode(read.find(label), plan, engine, report)
  const host4 = read.address(LABEL.host4)
  const host6 = isAtLeast(engine, 25) ? read.address(LABEL.host6) : undefined
  const [bridge] = readDeviceNames(read.find(LABEL.name), report)
  return {
    ...(bridge === undefined ? {} : { bridge }),
    icc: read.flag(LABEL.icc, true),
    masquerade: read.flag(LABEL.masquerade, true),
    modes: { ipv4: mode(LABEL.mode4), ipv6: mode(LABEL.mode6) },
    hostBinding: read.address(LABEL.binding) ?? 0,
    hostAddresses: { ...(host4 === undefined ? {} : { ipv4: host4 }), ...(host6 === undefined ? {} : { ipv6: host6 }) },
    trustedDevices: isAtLeast(engine, 28, 2) ? readDeviceNames(read.find(LABEL.trusted), report) : [],
    inhibitIpv4: read.flag(LABEL.inhibit, false),
    mtu: Number(read.text(LABEL.mtu) ?? 1500) || 1500,
    devicePrefix: read.text(LABEL.prefix) ?? 'eth',
  }
}

/** Names are separated by colons. Source: net/core/dev.c dev_valid_name(). */
function readDeviceNames(option: DriverOption | undefined, report: Report): readonly string[] {
  const names = (option?.value ?? '').split(':').filter(name => name !== '')
  return names.filter(name => {
    const isValid = name.length <= DEVICE_NAME_LIMIT && /^[^\s/"']+$/.test(name) && name !== '.' && name !== '..'
    const problem = name.length > DEVICE_NAME_LIMIT ? `is longer than ${DEVICE_NAME_LIMIT} characters` : 'has a character that names of devices cannot have'
    if (!isValid && option) report('bad-value', 'error', option.span, `device name \`${name}\` ${problem}`)
    return isValid
  })
}

interface LabelReader {
  readonly find: (name: string) => DriverOption | undefined
  readonly text: (name: string) => string | undefined
  readonly flag: (name: string, otherwise: boolean) => boolean
  readonly address: (name: string) => Address | undefined
}

function labelReader(plan: NetworkPlan, byDefault: Readonly<Record<string, string>>, report: Report): LabelReader {
  const find = (name: string): DriverOption | undefined => {
    const value = byDefault[name]
    return plan.options.find(option => option.name === name) ?? (value === undefined ? undefined : { name, value, span: plan.span })
  }
  return {
    find,
    text: name => find(name)?.value,
    flag(name, otherwise) {
      const option = find(name)
      if (!option) return otherwise
      if (/^(1|t|true)$/i.test(option.value)) return true
      if (!/^(0|f|false)$/i.test(option.value)) report('bad-value', 'error', option.span, `\`${name}\` is \`${option.value}\`: neither true nor false`)
      return false
    },
    address(name) {
      const option = find(name)
      if (!option || option.value === '') return undefined
      const address = readAddress(option.value)
      if (address === undefined) report('bad-value', 'error', option.span, `\`${name}\` is \`${option.value}\`, which is no address`)
      return address
    },
  }
}

/** Up to 26 the label means nothing; later an engine refuses what it does not know. */
function readMode(option: DriverOption | undefined, plan: NetworkPlan, engine: Engine, report: Report): GatewayMode {
  if (!option || option.value === '') return 'nat'
  const known = gatewayModes(engine)
  if (known.length === 0) {
    report('not-modelled', 'note', option.span, `engine ${engine.text} does not know gateway modes: the label means nothing to it`)
    return 'nat'
  }
  const mode = known.find(name => name === option.value)
  if (!mode) {
    report('engine-refuses', 'error', option.span, `engine ${engine.text} refuses network \`${plan.name}\`: gateway mode \`${option.value}\` is not known to it`, { help: didYouMean(option.value, known) ?? `it knows ${known.join(', ')}` })
    return 'nat'
  }
  if (mode === 'isolated' && !plan.isInternal) report('engine-refuses', 'error', option.span, `engine ${engine.text} refuses network \`${plan.name}\`: gateway mode isolated is for internal networks`, { help: 'add `internal: true`' })
  return mode
}

function withHelp(help: string | undefined): { readonly help?: string } {
  return help === undefined ? {} : { help }
}
