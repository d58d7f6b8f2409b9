/** A module of its own, so that bundles hold the part of the package that is used, and load it late. */
export { defaultProvider } from '@aws-sdk/credential-provider-node';
