/** The sysctls that decide a packet's way: which to read on a machine, and which of them a topology file must tell. */

import { textIn } from './snapshot-record.ts'
import type { NamespaceRecord } from './snapshot-record.ts'

/** Sysctls of a whole namespace. */
const GLOBAL = [
  'net.ipv4.ip_forward', 'net.ipv4.ip_default_ttl', 'net.ipv4.icmp_echo_ignore_all', 'net.ipv4.icmp_echo_ignore_broadcasts', 'net.ipv4.ip_nonlocal_bind',
  'net.ipv6.conf.all.forwarding',
  'net.netfilter.nf_conntrack_tcp_loose', 'net.netfilter.nf_conntrack_tcp_be_liberal',
  'net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables',
] as const

/** Sysctls that each device has beside `all` and `default`. */
const OF_DEVICE = ['ipv4:rp_filter', 'ipv4:route_localnet', 'ipv4:accept_local', 'ipv4:src_valid_mark', 'ipv4:arp_ignore', 'ipv4:proxy_arp', 'ipv4:forwarding', 'ipv6:disable_ipv6'] as const

/** Values that go without saying. */
const USUAL: Readonly<Record<string, string>> = {
  'net.ipv4.ip_default_ttl': '64', 'net.ipv4.icmp_echo_ignore_all': '0', 'net.ipv4.icmp_echo_ignore_broadcasts': '1', 'net.ipv4.ip_nonlocal_bind': '0',
  'net.netfilter.nf_conntrack_tcp_loose': '1', 'net.netfilter.nf_conntrack_tcp_be_liberal': '0',
}

/** A sysctl's name with dots, and its file below /proc/sys; they differ in devices with a dot in their names. */
export interface SysctlFile {
  readonly name: string
  readonly path: string
}

/** Returns the sysctls to read in a namespace with these devices. */
export function sysctlFiles(devices: readonly string[]): readonly SysctlFile[] {
  const scopes = ['all', 'default', ...devices]
  return [
    ...GLOBAL.map(name => ({ name, path: name.replaceAll('.', '/') })),
    ...OF_DEVICE.flatMap(key => scopes.map(scope => {
      const [family = '', name = ''] = key.split(':')
      return { name: `net.${family}.conf.${scope}.${name}`, path: `net/${family}/conf/${scope}/${name}` }
    })),
  ]
}

/** Returns the sysctls that a topology must tell: those that are not as usual, of a device those that are not as its namespace's default. */
export function tellingSysctls(record: NamespaceRecord): readonly (readonly [string, string])[] {
  const { sysctls } = record
  const devices = record.devices.map(device => textIn(device, 'ifname') ?? '')
  const told = GLOBAL.flatMap((name): (readonly [string, string])[] => {
    const value = sysctls[name] ?? MISSING[name]
    return value === undefined || value === USUAL[name] ? [] : [[name, value]]
  })
  const ofDevices = OF_DEVICE.flatMap(key => {
    const [family = '', name = ''] = key.split(':')
    const at = (scope: string): string => `net.${family}.conf.${scope}.${name}`
    const usual = name === 'forwarding' ? (sysctls['net.ipv4.ip_forward'] ?? '0') : '0'
    const general = name === 'forwarding' ? [] : ['all', 'default'].filter(scope => (sysctls[at(scope)] ?? usual) !== usual)
    const base = name === 'forwarding' ? usual : (sysctls[at('default')] ?? usual)
    return [...general, ...devices.filter(device => (sysctls[at(device)] ?? base) !== base)].map(scope => [at(scope), sysctls[at(scope)] ?? ''] as const)
  })
  return [...told, ...ofDevices]
}

/** Kernel: without br_netfilter (the files are absent) no rule sees what crosses a bridge. */
const MISSING: Readonly<Record<string, string>> = { 'net.bridge.bridge-nf-call-iptables': '0', 'net.bridge.bridge-nf-call-ip6tables': '0' }
