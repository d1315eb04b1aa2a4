import React from 'react';

type Props = { label: string; onClick: () => void };

/** A button with a label. */
export const Button: React.FC<Props> = ({ label, onClick }) => (
  <button onClick={onClick}>{label}</button>
);

export function List({ items }: { items: string[] }) {
  const render = (item: string) => <li key={item}>{item}</li>;
  return <ul>{items.map(render)}</ul>;
}

export const Fancy = React.memo(function Fancy(props: Props) {
  return <Button {...props} />;
});
