/** The keys of compose files: those that decide about packets, those that do not, and those that do but are not modelled. Source: compose-spec 05-services.md, 06-networks.md. */

import type { KeyTable } from '../draft/fields.ts'

/** Keys of the file itself. */
export const FILE_KEYS = {
  modelled: ['name', 'services', 'networks', 'x-docker'],
  harmless: ['version', 'volumes', 'configs', 'secrets', 'models'],
  open: { include: 'what other files add is not read' },
} as const satisfies KeyTable

/** Keys of a service. */
export const SERVICE_KEYS = {
  modelled: ['container_name', 'depends_on', 'deploy', 'expose', 'links', 'mac_address', 'network_mode', 'networks', 'ports', 'profiles', 'scale', 'sysctls', 'x-legacy-links'],
  harmless: [
    'annotations', 'attach', 'build', 'blkio_config', 'cpu_count', 'cpu_percent', 'cpu_shares', 'cpu_period', 'cpu_quota', 'cpu_rt_runtime', 'cpu_rt_period', 'cpus', 'cpuset',
    'cap_drop', 'cgroup', 'cgroup_parent', 'command', 'configs', 'credential_spec', 'develop', 'device_cgroup_rules', 'devices', 'dns', 'dns_opt', 'dns_search', 'domainname',
    'entrypoint', 'env_file', 'environment', 'extra_hosts', 'gpus', 'group_add', 'healthcheck', 'hostname', 'image', 'init', 'ipc', 'isolation', 'label_file', 'labels', 'logging',
    'mem_limit', 'mem_reservation', 'mem_swappiness', 'memswap_limit', 'models', 'oom_kill_disable', 'oom_score_adj', 'pid', 'pids_limit', 'platform', 'post_start', 'pre_stop',
    'pull_policy', 'read_only', 'restart', 'runtime', 'secrets', 'security_opt', 'shm_size', 'stdin_open', 'stop_grace_period', 'stop_signal', 'storage_opt', 'tmpfs', 'tty',
    'ulimits', 'use_api_socket', 'user', 'userns_mode', 'uts', 'volumes', 'volumes_from', 'working_dir',
  ],
  open: {
    cap_add: 'with NET_ADMIN a container can write rules of its own',
    external_links: 'containers of other files are not known here',
    extends: 'what the other service has is not read',
    privileged: 'a privileged container can write rules of its own',
    provider: 'what a provider runs is not known here',
  },
} as const satisfies KeyTable

/** Keys of a service's network. */
export const JOIN_KEYS = {
  modelled: ['gw_priority', 'interface_name', 'ipv4_address', 'ipv6_address', 'mac_address', 'priority'],
  harmless: ['aliases'],
  open: { driver_opts: 'options of an endpoint are not read', link_local_ips: 'link-local addresses are not given to the container' },
} as const satisfies KeyTable

/** Keys of a network. */
export const NETWORK_KEYS = {
  modelled: ['driver', 'driver_opts', 'enable_ipv4', 'enable_ipv6', 'external', 'internal', 'ipam', 'name', 'x-id'],
  harmless: ['attachable', 'labels'],
  open: {},
} as const satisfies KeyTable

/** Keys of `ipam`, and of an entry of its `config`. */
export const IPAM_KEYS = { modelled: ['config', 'driver'], harmless: [], open: { options: 'options of an address driver are not read' } } as const satisfies KeyTable

/** Keys of an entry of `ipam.config`. */
export const POOL_KEYS = { modelled: ['aux_addresses', 'gateway', 'ip_range', 'subnet'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of a port in long form. `mode` matters in a swarm only. */
export const PORT_KEYS = { modelled: ['host_ip', 'protocol', 'published', 'target'], harmless: ['app_protocol', 'mode', 'name'], open: {} } as const satisfies KeyTable

/** Keys of `deploy`. */
export const DEPLOY_KEYS = {
  modelled: ['replicas'],
  harmless: ['endpoint_mode', 'labels', 'mode', 'placement', 'resources', 'restart_policy', 'rollback_config', 'update_config'],
  open: {},
} as const satisfies KeyTable

