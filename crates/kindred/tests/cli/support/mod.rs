//! Running the binary: one command and its answer, a server, and the platform that it works on.

mod command;
mod platform;
mod python;
mod s3_server;
mod server;
mod small_disk;

pub(crate) use command::{Answer, Kindred, embedded_server, home};
pub(crate) use platform::{DAY, Platform, UNREACHABLE};
pub(crate) use python::{python, repository};
pub(crate) use s3_server::{LAKE, S3Server};
pub(crate) use server::Server;
pub(crate) use small_disk::SmallDisk;
