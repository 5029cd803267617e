/** The sysctls of a rebuilt namespace. */

import type { Family } from '../../src/net/address.ts'

/** Returns what the simulator takes for granted where a topology does not say otherwise: forwarding, no filters, no packets of the host's own accord. */
export function baseSysctls(families: readonly Family[]): Readonly<Record<string, string>> {
  const both = (name: string, value: string): Record<string, string> => Object.fromEntries(['all', 'default'].map(scope => [name.replace('*', scope), value]))
  const ipv6 = families.includes('ipv6')
  return {
    'net.ipv4.ip_forward': '1',
    ...both('net.ipv4.conf.*.rp_filter', '0'),
    ...both('net.ipv4.conf.*.send_redirects', '0'),
    ...both('net.ipv4.conf.*.accept_redirects', '0'),
    'net.ipv4.icmp_ratelimit': '0',
    'net.ipv4.icmp_ratemask': '0',
    'net.ipv4.icmp_msgs_per_sec': '1000000',
    'net.ipv4.icmp_msgs_burst': '100000',
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.bridge.bridge-nf-call-ip6tables': '1',
    ...(ipv6 ? IPV6 : both('net.ipv6.conf.*.disable_ipv6', '1')),
  }
}

/** No router is looked for, no address is made up or asked about, no group is told of twice. */
const IPV6: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['all', 'default'].flatMap(scope => [
    ['accept_ra', '0'], ['accept_dad', '0'], ['router_solicitations', '0'], ['addr_gen_mode', '1'], ['accept_redirects', '0'], ['mldv2_unsolicited_report_interval', '1'],
  ].map(([name, value]) => [`net.ipv6.conf.${scope}.${name}`, value]))),
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv6.mld_qrv': '1',
  'net.ipv6.icmp.ratelimit': '0',
}

/** Returns a shell script that writes sysctls; one that this kernel does not have is passed over. Names have dots, also those of devices. */
export function sysctlScript(sysctls: Readonly<Record<string, string>>): string {
  return Object.entries(sysctls).map(([name, value]) => `p='/proc/sys/${pathOf(name)}'; [ -e "$p" ] && printf '%s' '${value.replaceAll("'", '')}' > "$p" 2>/dev/null; true\n`).join('')
}

function pathOf(name: string): string {
  const [, family, device, last] = /^net\.(ipv4|ipv6)\.(?:conf|neigh)\.(.+)\.([^.]+)$/.exec(name) ?? []
  const of = name.includes('.neigh.') ? 'neigh' : 'conf'
  const path = device === undefined ? name.replaceAll('.', '/') : `net/${family}/${of}/${device}/${last}`
  return path.replaceAll("'", '').replaceAll('..', '')
}
