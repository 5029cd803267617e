/** The names of dockerd's chains. */

/** Chains that dockerd makes, by what they are for. */
export const CHAIN = {
  docker: 'DOCKER',
  forward: 'DOCKER-FORWARD',
  bridge: 'DOCKER-BRIDGE',
  connections: 'DOCKER-CT',
  internal: 'DOCKER-INTERNAL',
  stage1: 'DOCKER-ISOLATION-STAGE-1',
  stage2: 'DOCKER-ISOLATION-STAGE-2',
  user: 'DOCKER-USER',
  ingress: 'DOCKER-INGRESS',
} as const

/** The ipsets of 28.0.0: the subnets of all networks that are not internal. */
export const BRIDGE_SET = { ipv4: 'docker-ext-bridges-v4', ipv6: 'docker-ext-bridges-v6' } as const
