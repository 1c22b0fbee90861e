"""The cases, by what they are about; importing a module registers its cases."""

from cases import (  # noqa: F401
    access,
    apis,
    authorizers,
    calls,
    cors,
    deployments,
    functions,
    integrations,
    lists,
    permissions,
    policies,
    quotas,
    roles,
    route_authorization,
    route_keys,
    routes,
    stages,
    sts,
    tags,
    versions,
)
