"""What azure-mgmt-containerservice makes of a cluster's life, as JSON. Arguments: resource group, name of the cluster."""

import json
import os
import sys

from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.containerservice.models import (
    ManagedCluster,
    ManagedClusterAgentPoolProfile,
    ManagedClusterIdentity,
)
from witness import credential, refused


def main(group: str, name: str) -> None:
    client = ContainerServiceClient(
        credential(),
        os.environ["AZURE_SUBSCRIPTION_ID"],
        base_url=os.environ["SLIPWAY_AZURE_ENDPOINT"],
        credential_scopes=["https://management.azure.com/.default"],
    )
    clusters = client.managed_clusters

    poller = clusters.begin_create_or_update(group, name, wanted(2))
    during = clusters.get(group, name).provisioning_state
    created = poller.result()
    listed = [cluster.name for cluster in clusters.list_by_resource_group(group)]
    pools = [(pool.name, pool.count, pool.vm_size) for pool in client.agent_pools.list(group, name)]
    (kubeconfig,) = clusters.list_cluster_user_credentials(group, name).kubeconfigs
    refusal = refused(lambda: clusters.begin_create_or_update(group, name, wanted(1000)))
    clusters.begin_delete(group, name).result()
    print(
        json.dumps(
            {
                "during": during,
                "created": created.provisioning_state,
                "poolState": created.agent_pool_profiles[0].provisioning_state,
                "kubeletIdentity": created.identity_profile["kubeletidentity"].object_id,
                "listed": listed,
                "pools": pools,
                "kubeconfig": kubeconfig.value.decode(),
                "refused": refusal,
                "left": [cluster.name for cluster in clusters.list()],
                "absent": refused(lambda: clusters.get(group, name)),
            }
        )
    )


def wanted(nodes: int) -> ManagedCluster:
    pool = ManagedClusterAgentPoolProfile(
        name="scoring", mode="System", os_type="Linux", vm_size="Standard_D4s_v3", count=nodes
    )
    return ManagedCluster(
        location="eastus",
        identity=ManagedClusterIdentity(type="SystemAssigned"),
        dns_prefix="python",
        agent_pool_profiles=[pool],
    )


main(*sys.argv[1:])
