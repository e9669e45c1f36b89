-- Run once, when the volume is empty, after POSTGRES_DB has made `analytics`. The tables are made by `kindred`.
create database users;
create database interactions;
create database communications;
