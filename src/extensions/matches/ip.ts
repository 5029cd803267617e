/** The options of ip itself: `-s -d -i -o -p -f`. Source: iptables(8) "parameters"; net/ipv4/netfilter/ip_tables.c ip_packet_match(). */

import { always, equals, masked, never, not, onDevice, within } from '../../meaning/predicate.ts'
import { addressWidth, familyOf, writePrefix } from '../../net/address.ts'
import type { Prefix } from '../../net/address.ts'
import type { DevicePattern } from '../../net/device-name.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import type { OptionUseOf } from '../extension.ts'
import { devicePattern, flag, prefixType, protocol } from '../option-types.ts'

/** Kernel: `-i` and `-o` are compared with '' where there is no device, so `! -i eth0` holds there. The legacy save forgets `! -i +`, which matches nothing. */
export const ip = defineMatch({
  name: 'ip',
  doc: 'matches addresses, devices, protocol and fragments',
  options: {
    source: {
      type: prefixType, invertible: true, makesRules: true, aliases: ['-s', '--src'], omitted: matchesAll, print: use => printPrefix('-s', use),
      doc: 'source address, prefix or address/mask; several, comma-separated, make several rules',
      means: prefix => masked('ip.src', prefix.mask, prefix.address),
    },
    destination: {
      type: prefixType, invertible: true, makesRules: true, aliases: ['-d', '--dst'], omitted: matchesAll, print: use => printPrefix('-d', use),
      doc: 'destination address, prefix or address/mask; several, comma-separated, make several rules',
      means: prefix => masked('ip.dst', prefix.mask, prefix.address),
    },
    'in-interface': {
      type: devicePattern, invertible: true, aliases: ['-i'], print: use => `-i ${devicePattern.write(use.value, 'ipv4').join('')}`,
      omitted: use => !use.inverted && isAnyDevice(use),
      doc: 'device of arrival; a final + stands for any ending', means: pattern => onDevice('device.in', pattern),
    },
    'out-interface': {
      type: devicePattern, invertible: true, aliases: ['-o'], print: use => `-o ${devicePattern.write(use.value, 'ipv4').join('')}`,
      omitted: use => !use.inverted && isAnyDevice(use),
      doc: 'device of departure; a final + stands for any ending', means: pattern => onDevice('device.out', pattern),
    },
    protocol: {
      type: protocol, invertible: true, aliases: ['-p', '--proto'], print: use => `-p ${protocol.write(use.value, 'ipv4').join('')}`,
      omitted: use => use.value === 0,
      doc: 'protocol by name or number; 0 or all is every protocol', means: (number, family) => (number === 0 ? always : family === 'ipv6' && LOOKED_BEHIND.has(number) ? never : equals('ip.protocol', number)),
    },
    fragment: {
      type: flag, families: ['ipv4'], invertible: true, aliases: ['-f', '--fragments'], print: () => '-f',
      doc: 'second and further fragments (IPv4)', means: () => within('ip.fragmentOffset', 1, 0xffff),
    },
  },
  savedBy(backend, infos) {
    const isForgotten = [infos['in-interface'], infos['out-interface']].some(use => use?.inverted && isAnyDevice(use))
    if (backend === 'nft' || !isForgotten) return infos
    const { 'in-interface': inDevice, 'out-interface': outDevice, ...others } = infos
    return { ...others, ...(inDevice && !isAnyDevice(inDevice) ? { 'in-interface': inDevice } : {}), ...(outDevice && !isAnyDevice(outDevice) ? { 'out-interface': outDevice } : {}) }
  },
  nftJoins: ({ protocol: number }) => (number?.value === PROTOCOL.ah
    ? { options: ['protocol'], means: number.inverted ? not(equals('ip.protocol', number.value)) : equals('ip.protocol', number.value), help: NFT_SEES_AH }
    : undefined),
  check({ protocol: number, source, destination }, { backend }) {
    if (number?.inverted && number.value === 0) return '`! -p all` would never match'
    const isNothing = [source, destination].some(use => use?.inverted && BigInt(use.value.mask) === 0n)
    return backend === 'nft' && isNothing ? '`!` before all addresses would never match' : undefined
  },
})

/** Kernel: ip6tables looks behind these headers for the protocol; nf_tables stops at that of authentication. Source: net/ipv6/exthdrs_core.c ipv6_find_hdr() and IP6_FH_F_AUTH. */
const LOOKED_BEHIND: ReadonlySet<number> = new Set([43, 44, 60, PROTOCOL.ah])
const NFT_SEES_AH = 'ip6tables-legacy looks behind the authentication header and never matches; `-m ah` means the same in both'

function isAnyDevice({ value }: OptionUseOf<DevicePattern>): boolean {
  return value.prefix && value.name === ''
}

function matchesAll(use: OptionUseOf<Prefix>): boolean {
  const { mask } = use.value
  return !use.inverted && (mask === 0 || mask === 0n)
}

/** iptables-save prints the length of a full prefix too. */
function printPrefix(option: string, { value }: OptionUseOf<Prefix>): string {
  const text = writePrefix(value)
  return `${option} ${text.includes('/') ? text : `${text}/${addressWidth(familyOf(value.mask))}`}`
}
