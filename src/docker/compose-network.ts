/** Networks of a compose file. */

import { fieldsOf } from '../draft/fields.ts'
import type { Address } from '../net/address.ts'
import { complain, entriesOf, isEmpty, isMapping, itemsOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { IPAM_KEYS, NETWORK_KEYS, POOL_KEYS } from './compose-keys.ts'
import { filledAddress, filledFlag, filledSubnet, filledText } from './compose-reader.ts'
import type { ComposeReader } from './compose-reader.ts'
import type { DriverOption, NetworkPlan, Placed, PoolPlan } from './plan.ts'

/** A network of the file: a bridge, or something that makes no rules. */
export interface ComposeNetwork {
  readonly plan: NetworkPlan
  readonly isExternal: boolean
  readonly driver: string
}

/** Reads one entry of `networks`. */
export function readNetwork({ key, keySpan, value }: YamlEntry, project: string, reader: ComposeReader): ComposeNetwork {
  const find = fieldsOf(value, `network \`${key}\``, NETWORK_KEYS, reader)
  const text = (name: string): string | undefined => {
    const entry = find(name)
    return entry && !isEmpty(entry.value) ? filledText(entry.value, `\`${name}\``, reader) : undefined
  }
  const flag = (name: string, otherwise: boolean): boolean => {
    const entry = find(name)
    return entry && !isEmpty(entry.value) ? (filledFlag(entry.value, `\`${name}\``, reader) ?? otherwise) : otherwise
  }
  const external = find('external')
  const externalName = external && isMapping(external.value) ? entriesOf(external.value, '`external`').find(entry => entry.key === 'name') : undefined
  const isExternal = external !== undefined && (isMapping(external.value) || flag('external', false))
  const name = text('name') ?? (externalName && filledText(externalName.value, '`name`', reader)) ?? (isExternal ? key : `${project}_${key}`)
  const id = text('x-id')
  const options = find('driver_opts')
  return {
    isExternal, driver: text('driver') ?? 'bridge',
    plan: {
      key, name, span: keySpan, isInternal: flag('internal', false), ipv4: flag('enable_ipv4', true), ipv6: flag('enable_ipv6', false), ...(id === undefined ? {} : { id }),
      options: options ? readDriverOptions(options.value, reader) : [], pools: readPools(find('ipam'), reader),
    },
  }
}

/** Reads labels of a driver by name. */
export function readDriverOptions(value: YamlValue, reader: ComposeReader): readonly DriverOption[] {
  return entriesOf(value, '`driver_opts`').flatMap(({ key, keySpan, value: setting }) => {
    const text = filledText(setting, `\`${key}\``, reader)
    return text === undefined ? [] : [{ name: key, value: text, span: setting.span.end > setting.span.start ? setting.span : keySpan }]
  })
}

function readPools(ipam: YamlEntry | undefined, reader: ComposeReader): readonly PoolPlan[] {
  if (!ipam) return []
  const find = fieldsOf(ipam.value, '`ipam`', IPAM_KEYS, reader)
  const driver = find('driver')
  const driverName = driver && filledText(driver.value, '`driver`', reader)
  if (driver && driverName !== undefined && driverName !== 'default') {
    reader.report('not-modelled', 'warning', driver.value.span, `the address driver \`${driverName}\` is not modelled: addresses are given as the default one would`)
  }
  const config = find('config')
  return config ? itemsOf(config.value).map(item => readPool(item, reader)) : []
}

function readPool(value: YamlValue, reader: ComposeReader): PoolPlan {
  const find = fieldsOf(value, '`ipam.config`', POOL_KEYS, reader)
  const [subnetEntry, gatewayEntry, rangeEntry, reservedEntry] = [find('subnet'), find('gateway'), find('ip_range'), find('aux_addresses')]
  const subnet = subnetEntry && filledSubnet(subnetEntry.value, '`subnet`', reader)
  const gateway = gatewayEntry && filledAddress(gatewayEntry.value, '`gateway`', reader)
  const range = rangeEntry && filledSubnet(rangeEntry.value, '`ip_range`', reader)
  if (!subnet && (gateway !== undefined || range)) complain(value.reader, 'bad-value', value.span, 'a gateway or range without a `subnet`')
  const reserved = reservedEntry ? entriesOf(reservedEntry.value, '`aux_addresses`').flatMap(({ value: item }) => placed(item, filledAddress(item, 'an address', reader))) : []
  return {
    span: value.span, reserved,
    ...(subnet && subnetEntry ? { subnet: { value: subnet, span: subnetEntry.value.span } } : {}),
    ...(gateway !== undefined && gatewayEntry ? { gateway: { value: gateway, span: gatewayEntry.value.span } } : {}),
    ...(range && rangeEntry ? { range: { value: range, span: rangeEntry.value.span } } : {}),
  }
}

function placed({ span }: YamlValue, address: Address | undefined): readonly Placed<Address>[] {
  return address === undefined ? [] : [{ value: address, span }]
}
