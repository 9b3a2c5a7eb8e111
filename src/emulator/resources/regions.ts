/** A region of Azure. */
export interface Region {
  /** As resources carry it, for example `westus2`. */
  readonly name: string;
  /** As the portal and resource providers show it, for example `West US 2`. */
  readonly displayName: string;
}

/** Regions of the public cloud in which clusters can be made; a selection. */
export const regions: readonly Region[] = [
  'Australia East',
  'Brazil South',
  'Canada Central',
  'Central India',
  'Central US',
  'East Asia',
  'East US',
  'East US 2',
  'France Central',
  'Germany West Central',
  'Japan East',
  'Korea Central',
  'North Central US',
  'North Europe',
  'Norway East',
  'South Africa North',
  'South Central US',
  'Southeast Asia',
  'Sweden Central',
  'Switzerland North',
  'UAE North',
  'UK South',
  'West Europe',
  'West US',
  'West US 2',
  'West US 3',
].map((displayName) => ({ name: nameOf(displayName), displayName }));

/** The region of that name or display name, as Resource Manager reads locations: without regard to case and spaces. */
export function regionOf(location: string): Region | undefined {
  return regions.find(({ name }) => name === nameOf(location));
}

function nameOf(location: string): string {
  return location.replaceAll(' ', '').toLowerCase();
}
