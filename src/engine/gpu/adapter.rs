//! This module finds the adapters there are, and which one a run takes.

use serde::Serialize;

use crate::sentence::sentence;
use crate::{Error, Result};

/// An adapter summary holds what `devices` tells about an adapter.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AdapterSummary {
    /// Name of the adapter, as `adapter` matches it (any part, any case).
    pub name: String,
    /// Driver of the adapter and its version.
    pub driver: String,
    /// API of the adapter: Vulkan, Metal or Dx12.
    pub api: String,
    /// Kind of the adapter: `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Largest storage buffer, bytes.
    pub max_buffer: u64,
    /// Largest dispatch per dimension, workgroups.
    pub max_workgroups: u32,
    /// Workgroup memory, bytes.
    pub workgroup_memory: u32,
    /// Native f64 in shaders (reported, not used).
    pub shader_f64: bool,
}

impl AdapterSummary {
    /// Tells whether the adapter is a processor posing as a GPU, such as llvmpipe.
    pub fn is_software(&self) -> bool {
        self.kind == "software"
    }
}

fn summary(adapter: &wgpu::Adapter) -> AdapterSummary {
    let info = adapter.get_info();
    let limits = adapter.limits();
    AdapterSummary {
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_string(),
        name: info.name,
        api: format!("{:?}", info.backend),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            #[cfg(feature = "test-hooks")]
            wgpu::DeviceType::Cpu if super::fault::pretence().is_some() => {
                super::fault::pretence().map_or("software", |pretence| pretence.kind)
            }
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "other",
        },
        max_buffer: limits.max_storage_buffer_binding_size,
        max_workgroups: limits.max_compute_workgroups_per_dimension,
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        shader_f64: adapter.features().contains(wgpu::Features::SHADER_F64),
    }
}

/// Lists the adapters with compute shaders, best kind first; those of a kind in the driver's order.
pub(super) fn enumerate() -> Vec<(wgpu::Adapter, AdapterSummary)> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::PRIMARY;
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let mut all: Vec<_> = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
        .into_iter()
        .filter(|a| a.limits().max_compute_invocations_per_workgroup >= 64)
        .map(|a| {
            let s = summary(&a);
            (a, s)
        })
        .collect();
    let rank = ["discrete", "integrated", "virtual", "other", "software"];
    all.sort_by_key(|(_, s)| rank.iter().position(|k| *k == s.kind));
    all
}

/// Lists the adapters that can run the engine, best first.
pub fn adapters() -> Vec<AdapterSummary> {
    enumerate().into_iter().map(|(_, s)| s).collect()
}

/// An identity tells one physical device from another.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Identity {
    software: bool,
    vendor: u32,
    device: u32,
    /// Name of the device, only where the driver gives no numbers.
    name: String,
}

/// `Seen` is one of several adapters: its device, its API, its place in the list.
type Seen = (Identity, wgpu::Backend, usize);

/// Picks hardware if there is any, else software; each device under the API that shows most of its
/// kind, so that two equal GPUs stay two.
fn physical(all: &[Seen]) -> Vec<usize> {
    let hardware = all.iter().any(|(id, ..)| !id.software);
    let count = |id: &Identity, api: wgpu::Backend| {
        let same = |other: &&Seen| other.0 == *id && other.1 == api;
        all.iter().filter(same).count()
    };
    let api_of = |id: &Identity| {
        // The first of the largest: the order is that of preference.
        let apis = all.iter().filter(|s| s.0 == *id).map(|s| s.1);
        apis.rev().max_by_key(|api| count(id, *api))
    };
    (all.iter())
        .filter(|(id, api, _)| id.software != hardware && api_of(id) == Some(*api))
        .map(|s| s.2)
        .collect()
}

/// Lists every physical device that the adapter `all` uses.
///
/// # Errors
/// [`Error::NoAdapter`] if there is none.
pub(super) fn distinct() -> Result<Vec<(wgpu::Adapter, AdapterSummary)>> {
    let all = enumerate();
    if all.is_empty() {
        return Err(none());
    }
    let seen: Vec<Seen> = (all.iter().enumerate())
        .map(|(place, (adapter, summary))| {
            let info = adapter.get_info();
            let numbered = info.vendor != 0 && info.device != 0;
            let identity = Identity {
                software: summary.is_software(),
                vendor: info.vendor,
                device: info.device,
                name: match numbered {
                    true => String::new(),
                    false => info.name.to_lowercase(),
                },
            };
            (identity, info.backend, place)
        })
        .collect();
    let keep = physical(&seen);
    Ok((all.into_iter().enumerate())
        .filter(|(place, _)| keep.contains(place))
        .map(|(_, adapter)| adapter)
        .collect())
}

fn none() -> Error {
    Error::NoAdapter(sentence!(
        "no GPU adapter: no Vulkan, Metal or DirectX 12 driver answers; install one (on Debian or Ubuntu without a GPU: apt-get install mesa-vulkan-drivers libvulkan1) or use `backend` cpu"
    ))
}

/// Selects the best adapter, or the first whose name contains `name` (in any case).
///
/// # Errors
/// [`Error::NoAdapter`] that lists the adapters there are.
pub(super) fn select(name: Option<&str>) -> Result<(wgpu::Adapter, AdapterSummary)> {
    let mut all = enumerate();
    if all.is_empty() {
        return Err(none());
    }
    let wanted = name.map(str::to_lowercase).unwrap_or_default();
    match all
        .iter()
        .position(|(_, s)| s.name.to_lowercase().contains(&wanted))
    {
        Some(i) => Ok(all.swap_remove(i)),
        None => Err(Error::NoAdapter(sentence!(
            "`adapter` '{}': no such adapter; there is {}",
            name.unwrap_or_default(),
            all.iter()
                .map(|(_, s)| format!("'{}'", s.name))
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::Backend::{Dx12, Vulkan};

    fn seen(list: &[(u32, wgpu::Backend)]) -> Vec<usize> {
        let all: Vec<Seen> = (list.iter().enumerate())
            .map(|(place, &(device, api))| {
                let identity = Identity {
                    software: device == 0,
                    vendor: 1,
                    device,
                    name: String::new(),
                };
                (identity, api, place)
            })
            .collect();
        physical(&all)
    }

    #[test]
    fn a_gpu_under_two_apis_is_one_gpu() {
        assert_eq!(seen(&[(7, Vulkan), (7, Dx12)]), [0]);
        assert_eq!(seen(&[(7, Dx12), (7, Vulkan), (8, Vulkan)]), [0, 2]);
    }

    #[test]
    fn equal_gpus_are_several() {
        assert_eq!(seen(&[(7, Vulkan), (7, Dx12), (7, Dx12)]), [1, 2]);
        assert_eq!(seen(&[(7, Vulkan), (7, Vulkan), (7, Vulkan)]), [0, 1, 2]);
    }

    #[test]
    fn software_is_for_machines_without_hardware() {
        assert_eq!(seen(&[(7, Vulkan), (0, Vulkan)]), [0]);
        assert_eq!(seen(&[(0, Vulkan)]), [0]);
    }
}
