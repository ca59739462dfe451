export const load = ({ url }) => ({ origin: url.origin });
