/*
Copyright 2026 The DataArts Operator Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package dataarts

import (
	"fmt"

	sdkregion "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/region"
)

// knownRegions is the SDK's table. Its own lookup (region.SafeValueOf) is avoided, since it lets environment variables
// and a file in the home directory replace an endpoint, through a map that it does not lock.
var knownRegions = []*sdkregion.Region{
	region.CN_NORTH_1, region.CN_NORTH_2, region.CN_NORTH_4, region.CN_NORTH_9, region.CN_NORTH_11,
	region.CN_EAST_2, region.CN_EAST_3, region.CN_EAST_4,
	region.CN_SOUTH_1, region.CN_SOUTHWEST_2,
	region.AP_SOUTHEAST_1, region.AP_SOUTHEAST_2, region.AP_SOUTHEAST_3, region.AP_SOUTHEAST_4,
	region.AF_SOUTH_1, region.TR_WEST_1, region.ME_EAST_1, region.AE_AD_1, region.EU_WEST_101,
	region.RU_NORTHWEST_2, region.RU_MOSCOW_1, region.MY_KUALALUMPUR_1,
	region.SA_BRAZIL_1, region.LA_SOUTH_2, region.LA_NORTH_2, region.NA_MEXICO_1,
}

// EndpointForRegion returns the endpoint of the service in a region. A region that is not known is an error,
// and the way out is to configure an endpoint instead of a region.
func EndpointForRegion(id string) (string, error) {
	// The SDK's table says .com, but the documented endpoint of Dublin is in its own domain.
	if id == region.EU_WEST_101.Id {
		return "https://dayu.eu-west-101.myhuaweicloud.eu", nil
	}
	for _, known := range knownRegions {
		if known.Id == id {
			return known.Endpoints[0], nil
		}
	}
	return "", fmt.Errorf("unknown region %q: set an endpoint instead", id)
}
