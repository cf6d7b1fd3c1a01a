CREATE TABLE orders (
  id BIGINT NOT NULL,
  customer VARCHAR(255) NOT NULL,
  note TEXT
);
